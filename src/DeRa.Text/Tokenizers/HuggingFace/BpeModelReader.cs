using DeRa.Text.Tokenizers.Bpe;
using Microsoft.ML.Tokenizers;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>Reads the <c>model</c> of a tokenizer.json: byte-pair encoding, with or without byte fallback.</summary>
internal static class BpeModelReader
{
    /// <summary>Reads the vocabulary: token → id.</summary>
    public static Dictionary<string, int> ReadVocabulary(JsonField model)
    {
        if (model.Find("type") is { } type && type.Text() != "BPE") throw type.Refuse($"the model '{type.Text()}'", "BPE");
        model.AllowOnly("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback", "ignore_merges", "vocab", "merges");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var tokens = new Dictionary<int, string>();
        foreach (var (token, id) in model["vocab"].Fields())
        {
            var number = id.Integer(0, TokenTable.HighestId);
            vocabulary[token] = number;
            if (!tokens.TryAdd(number, token)) throw id.Error($"has the id {number}, which '{tokens[number]}' has too");
        }
        return vocabulary.Count > 0 ? vocabulary : throw model["vocab"].Error("has no tokens");
    }

    /// <summary>Reads everything else, given the vocabulary.</summary>
    /// <param name="model">The model.</param>
    /// <param name="vocabulary">Token → id.</param>
    /// <param name="isSpecial">Which ids are control tokens: no text is built up to one of these.</param>
    public static BpeModel Read(JsonField model, Dictionary<string, int> vocabulary, Func<int, bool> isSpecial)
    {
        RefuseTextIn(model, "continuing_subword_prefix");
        RefuseTextIn(model, "end_of_word_suffix");
        if (model.Find("dropout") is { } dropout && dropout.Number(0, 1) != 0) throw dropout.Refuse("dropout", "none");

        var unknown = model.Find("unk_token");
        var fuseUnknown = model.Find("fuse_unk")?.Flag() ?? false;
        var byteTokens = ReadByteTokens(model, vocabulary);
        bool IsText(string token) => token.Length > 0 && !isSpecial(vocabulary[token]);
        var textual = vocabulary.Where(token => IsText(token.Key)).ToDictionary(StringComparer.Ordinal);
        var merges = ReadMerges(model["merges"], vocabulary)
            .Where(merge => IsText(merge.Left) && IsText(merge.Right) && IsText(merge.Left + merge.Right)).ToList();
        KeyValuePair<string, int>? unknownToken = unknown is { } field ? new(field.Text(), UnknownId(field, vocabulary)) : null;
        return new BpeModel(
            new SymbolTable(textual, byteTokens, unknownToken?.Value, fuseUnknown),
            MakeTable(merges, vocabulary),
            byteTokens is null ? MakeShortPieceModel(textual, merges, unknownToken, fuseUnknown) : null,
            model.Find("ignore_merges")?.Flag() == true ? textual : null);
    }

    private static int[]? ReadByteTokens(JsonField model, Dictionary<string, int> vocabulary)
    {
        if (model.Find("byte_fallback")?.Flag() != true) return null;
        return ByteToken.FindAll(token => vocabulary.TryGetValue(token, out var id) ? id : null)
            ?? throw model.Error("asks for byte_fallback, but the vocabulary lacks one of <0x00> … <0xFF>");
    }

    /// <summary>Merges come as "left right" or, in newer files, as ["left", "right"].</summary>
    private static IEnumerable<(string Left, string Right)> ReadMerges(
        JsonField merges, Dictionary<string, int> vocabulary)
    {
        foreach (var merge in merges.Items())
        {
            var parts = merge.IsList ? merge.Items().Select(part => part.Text()).ToArray() : merge.Text().Split(' ');
            if (parts.Length != 2 || parts.Contains("")) throw merge.Error("must be two tokens, neither of them empty");
            foreach (var token in parts.Append(parts[0] + parts[1]))
                if (!vocabulary.ContainsKey(token)) throw merge.Error($"names '{token}', which is not in the vocabulary");
            yield return (parts[0], parts[1]);
        }
    }

    private static MergeTable MakeTable(
        List<(string Left, string Right)> merges, Dictionary<string, int> vocabulary)
    {
        var table = new MergeTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            table.Add(vocabulary[left], vocabulary[right], rank, vocabulary[left + right]);
        }
        return table;
    }

    /// <summary>
    /// Microsoft.ML.Tokenizers' model of the same, or null for the few files it cannot take: it wants tokens, each merge once
    /// and no space inside a token that merges.
    /// </summary>
    private static BpeTokenizer? MakeShortPieceModel(
        Dictionary<string, int> vocabulary,
        List<(string Left, string Right)> merges,
        KeyValuePair<string, int>? unknown,
        bool fuseUnknown)
    {
        var lines = merges.Select(merge => $"{merge.Left} {merge.Right}").ToList();
        if (vocabulary.Count == 0 || unknown?.Key.Length == 0) return null;
        if (lines.Any(line => line.Count(c => c == ' ') != 1) || lines.ToHashSet(StringComparer.Ordinal).Count != lines.Count) return null;
        // ByteLevel stays off: it would drop spaces and newlines without a pre-tokenizer of its own, and pieces arrive
        // here in the vocabulary's alphabet already.
        return BpeTokenizer.Create(new BpeOptions(unknown is { } token ? vocabulary.Append(token).DistinctBy(pair => pair.Key) : vocabulary)
        {
            Merges = lines,
            UnknownToken = unknown?.Key,
            FuseUnknownTokens = fuseUnknown,
        });
    }

    private static int UnknownId(JsonField field, Dictionary<string, int> vocabulary) =>
        vocabulary.TryGetValue(field.Text(), out var id) ? id
            : throw field.Error($"names '{field.Text()}', which is not in the vocabulary");

    private static void RefuseTextIn(JsonField model, string name)
    {
        if (model.Find(name) is { } text && text.Text().Length > 0) throw text.Refuse($"'{text.Text()}'", "none");
    }
}
