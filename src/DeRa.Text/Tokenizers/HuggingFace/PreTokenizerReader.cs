using DeRa.Text.Tokenizers.Bpe;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Reads the <c>pre_tokenizer</c> of a tokenizer.json: how normalized text is split into the pieces within which tokens merge.
/// </summary>
internal static class PreTokenizerReader
{
    private const string Implemented = "Sequence, ByteLevel, Split, Digits, Metaspace";

    /// <summary>Each of these makes a text longer, some of them over and over: byte by byte, or by a space before each piece.</summary>
    private const int MaxLengtheningSteps = 2;

    /// <summary>Reads a pre-tokenizer; none makes one piece.</summary>
    /// <param name="field">The pre-tokenizer.</param>
    /// <param name="addPrefixSpace">
    /// What tokenizer_config.json says of <c>add_prefix_space</c>: it goes before what a ByteLevel that is the whole pre-tokenizer
    /// says, as in the transformers library.
    /// </param>
    public static Func<TextPiece, IEnumerable<TextPiece>> Read(JsonField? field, bool? addPrefixSpace = null)
    {
        if (field is not { } whole) return piece => [piece];
        var fields = StepList.Flatten(whole, "pretokenizers");
        var lengthening = fields.Count(step => step["type"].Text() is "ByteLevel" or "Metaspace");
        if (lengthening > MaxLengtheningSteps)
            throw whole.Refuse($"{lengthening} steps of ByteLevel and Metaspace", $"at most {MaxLengtheningSteps}");
        if (whole["type"].Text() != "Sequence") return ReadStep(whole, addPrefixSpace);
        var steps = fields.Select(step => ReadStep(step, addPrefixSpace: null)).ToArray();
        return piece => steps.Aggregate((IEnumerable<TextPiece>)[piece], (pieces, step) => pieces.SelectMany(step));
    }

    private static Func<TextPiece, IEnumerable<TextPiece>> ReadStep(JsonField step, bool? addPrefixSpace) => step["type"].Text() switch
    {
        "ByteLevel" => ReadByteLevel(step.AllowOnly("type", "add_prefix_space", "trim_offsets", "use_regex"), addPrefixSpace),
        "Split" => ReadSplit(step.AllowOnly("type", "pattern", "behavior", "invert")),
        "Digits" => ReadDigits(step.AllowOnly("type", "individual_digits")),
        "Metaspace" => ReadMetaspace(step),
        var other => throw step.Refuse($"the pre-tokenizer '{other}'", Implemented),
    };

    private static Func<TextPiece, IEnumerable<TextPiece>> ReadByteLevel(JsonField step, bool? addPrefixSpace)
    {
        var addSpace = addPrefixSpace ?? step.Find("add_prefix_space")?.Flag() ?? true;
        var pattern = step.Find("use_regex")?.Flag() ?? true ? HuggingFacePattern.Gpt2 : null;
        return piece =>
        {
            if (addSpace && !piece.Text.StartsWith(' ')) piece = piece with { Text = " " + piece.Text };
            var pieces = pattern is null ? [piece]
                : PieceSplitter.Split(piece, pattern.Matches(piece.Text, piece.Searched), SplitBehavior.Isolated);
            return pieces.Select(part => part with { Text = ByteLevelAlphabet.Encode(part.Text) });
        };
    }

    private static Func<TextPiece, IEnumerable<TextPiece>> ReadSplit(JsonField step)
    {
        var behavior = ReadBehavior(step["behavior"]);
        var invert = step.Find("invert")?.Flag() ?? false;
        var pattern = step["pattern"].AllowOnly("String", "Regex");
        if (pattern.Find("Regex") is { } regex)
        {
            var compiled = HuggingFacePattern.Compile(regex, regex.Text());
            return piece => PieceSplitter.Split(piece, compiled.Matches(piece.Text, piece.Searched), behavior, invert);
        }
        var text = pattern["String"].Text();
        if (text.Length == 0) throw pattern.Error("must not be empty");
        return piece => PieceSplitter.Split(piece, Occurrences(piece.Text, text), behavior, invert);
    }

    private static SplitBehavior ReadBehavior(JsonField field) =>
        Enum.TryParse<SplitBehavior>(field.Text(), out var behavior) && Enum.IsDefined(behavior)
            ? behavior
            : throw field.Refuse($"the split behavior '{field.Text()}'", string.Join(", ", Enum.GetNames<SplitBehavior>()));

    private static Func<TextPiece, IEnumerable<TextPiece>> ReadDigits(JsonField step)
    {
        // The reference asks Rust's Unicode 17 here and not, as in patterns, Oniguruma's tables, which are older.
        var pattern = HuggingFacePattern.Compile(step, @"[\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}]");
        var behavior = step["individual_digits"].Flag() ? SplitBehavior.Isolated : SplitBehavior.Contiguous;
        return piece => PieceSplitter.Split(piece, pattern.Matches(piece.Text, piece.Searched), behavior);
    }

    private static Func<TextPiece, IEnumerable<TextPiece>> ReadMetaspace(JsonField step)
    {
        var metaspace = Metaspace.Read(step);
        return piece =>
        {
            var replaced = metaspace.ReplaceSpaces(piece);
            return metaspace.Splits
                ? PieceSplitter.Split(replaced, Occurrences(replaced.Text, metaspace.Replacement), SplitBehavior.MergedWithNext)
                : [replaced];
        };
    }

    private static IEnumerable<(int Start, int End)> Occurrences(string text, string pattern)
    {
        for (var at = text.IndexOf(pattern, StringComparison.Ordinal); at >= 0;
             at = text.IndexOf(pattern, at + pattern.Length, StringComparison.Ordinal))
            yield return (at, at + pattern.Length);
    }
}
