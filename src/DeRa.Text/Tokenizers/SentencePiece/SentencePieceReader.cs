using System.Text;
using DeRa.Text.Tokenizers.Bpe;

namespace DeRa.Text.Tokenizers.SentencePiece;

/// <summary>Makes a tokenizer of a SentencePiece BPE <c>tokenizer.model</c>, encoding as Hugging Face's LlamaTokenizer does.</summary>
/// <remarks>
/// Microsoft.ML.Tokenizers 2.0.1 reads these files but encodes them differently from SentencePiece: it breaks ties between
/// equal merges from the right (llama.cpp's test vectors 33 and 45 for Llama 2 fail), leaves runs of unknown characters
/// apart, and with remove_extra_whitespaces encodes a text of one character as nothing.
/// </remarks>
internal static class SentencePieceReader
{
    private const int MostPieceCharacters = 1024;

    /// <param name="path">The file.</param>
    /// <param name="config">What lies beside it.</param>
    public static ITokenizer Read(string path, TokenizerConfig config)
    {
        var file = SentencePieceFile.Read(path);
        Refuse(path, file);
        var normalization = new SentencePieceNormalization(
            file.AddsDummyPrefix && config.Flag("add_prefix_space") != false,
            file.RemovesExtraWhitespace,
            config.Flag("legacy") ?? true);
        var added = ReadAddedTokens(file, config);
        var rendering = MakeRendering(file, normalization);
        var tokens = MakeTable(file, added, rendering);
        return new TextTokenizer(
            tokens,
            rendering,
            new AddedTokenMatching(added, content => content),
            piece => normalization.Apply(piece.Text, piece.AtStart),
            piece => [piece],
            MakeModel(path, file, tokens.IsSpecial).Encode,
            MakeSurrounding(file, config, tokens));
    }

    private static void Refuse(string path, SentencePieceFile file)
    {
        var asked = file switch
        {
            { ModelType: not 2 } => $"model_type {file.ModelType} (implemented: 2, BPE)",
            { HasCharacterMap: true } => "a precompiled_charsmap (implemented: the normalizer 'identity')",
            { TreatsWhitespaceAsSuffix: true } => "treat_whitespace_as_suffix",
            { EscapesWhitespace: false } => "escape_whitespaces off",
            _ when file.Pieces.Any(piece => piece.Type == PieceType.Unused) => "pieces of type UNUSED",
            // Merges are found by trying each split of a piece; published pieces have some dozens.
            _ when file.Pieces.Any(piece => piece.Text.Length > MostPieceCharacters) =>
                $"pieces of more than {MostPieceCharacters} characters",
            _ => null,
        };
        if (asked is not null) throw new TokenizerException($"{path}: asks for {asked}, which is not implemented");
    }

    /// <summary>
    /// Control pieces are special; user-defined ones are found in normalized text as they are written; the files beside the model
    /// add their own.
    /// </summary>
    private static List<AddedToken> ReadAddedTokens(SentencePieceFile file, TokenizerConfig config)
    {
        var own = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        for (var id = 0; id < file.Pieces.Count; id++)
        {
            var (text, type) = (file.Pieces[id].Text, file.Pieces[id].Type);
            if (type is PieceType.Control or PieceType.Unknown or PieceType.UserDefined)
                own[text] = new AddedToken(id, text, false, false, false,
                    Normalized: type == PieceType.UserDefined, Special: type != PieceType.UserDefined);
        }
        var added = own.Values.ToDictionary(token => token.Id);
        foreach (var (token, field) in config.AddedTokens(own))
        {
            if (token.Id < file.Pieces.Count && file.Pieces[token.Id].Text != token.Content)
                throw field.Error(
                    $"gives the id {token.Id} to '{token.Content}', but tokenizer.model gives it to '{file.Pieces[token.Id].Text}'");
            added[token.Id] = token with { Normalized = false };
        }
        return [.. added.Values];
    }

    private static TokenRendering MakeRendering(SentencePieceFile file, SentencePieceNormalization normalization)
    {
        var byteTokens = file.Pieces.Where(piece => piece.Type == PieceType.Byte)
            .Select(piece => piece.Text).ToHashSet(StringComparer.Ordinal);
        byte[] Render(string token, bool isFirst) =>
            byteTokens.Contains(token) && ByteToken.TryRead(token, out var value)
                ? [value]
                : Encoding.UTF8.GetBytes(token.Replace(SentencePieceNormalization.Space, ' '));
        return new TokenRendering(Render, ' ', normalization.AddsDummyPrefix ? 1 : 0);
    }

    private static TokenTable MakeTable(
        SentencePieceFile file, List<AddedToken> added, TokenRendering rendering)
    {
        var tokens = file.Pieces.Select((piece, id) => (piece.Text, id, piece.Text))
            .Concat(added.Where(token => token.Id >= file.Pieces.Count).Select(token => (token.Content, token.Id, token.Content)));
        return new TokenTable(
            [.. tokens],
            added.Where(token => token.Special).Select(token => token.Id).ToHashSet(),
            form => rendering.Render(form, false));
    }

    private static BpeModel MakeModel(string path, SentencePieceFile file, Func<int, bool> isSpecial)
    {
        var normal = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < file.Pieces.Count; id++)
            if (file.Pieces[id] is { Type: PieceType.Normal, Text.Length: > 0 } && !isSpecial(id)) normal[file.Pieces[id].Text] = id;
        var unknown = file.Pieces.FindIndex(piece => piece.Type == PieceType.Unknown);
        var symbols = new SymbolTable(normal, FindByteTokens(path, file), unknown < 0 ? null : unknown, fuseUnknown: true);
        return new BpeModel(symbols, MakeMerges(file, normal), shortPieces: null, wholePieces: null);
    }

    private static int[]? FindByteTokens(string path, SentencePieceFile file)
    {
        if (!file.HasByteFallback) return null;
        return ByteToken.FindAll(token =>
                file.Pieces.FindIndex(piece => piece.Type == PieceType.Byte && piece.Text == token) is >= 0 and var id ? id : null)
            ?? throw new TokenizerException($"{path}: asks for byte_fallback, but lacks one of the pieces <0x00> … <0xFF>");
    }

    /// <summary>Two neighbours merge where together they are a piece; the higher its score the sooner.</summary>
    private static MergeTable MakeMerges(SentencePieceFile file, Dictionary<string, int> normal)
    {
        var table = new MergeTable(normal.Count * 2);
        var ranks = normal.Values.Select(id => file.Pieces[id].Score).Distinct().OrderDescending()
            .Select((score, rank) => (score, rank)).ToDictionary(pair => pair.score, pair => pair.rank);
        var lookup = normal.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (text, id) in normal)
            for (var split = 1; split < text.Length; split++)
                if (lookup.TryGetValue(text.AsSpan(0, split), out var left) && lookup.TryGetValue(text.AsSpan(split), out var right))
                    table.Add(left, right, ranks[file.Pieces[id].Score], id);
        return table;
    }

    private static SurroundingTokens MakeSurrounding(SentencePieceFile file, TokenizerConfig config, TokenTable tokens)
    {
        int? begin = IsControl(file, file.BeginId) ? file.BeginId : null;
        int? end = IsControl(file, file.EndId) ? file.EndId : null;
        var surrounding = begin is { } id ? SurroundingTokens.None.WithBegin(id, present: true) : SurroundingTokens.None;
        return config.Surround(surrounding, tokens, begin, end);
    }

    private static bool IsControl(SentencePieceFile file, int id) =>
        id >= 0 && id < file.Pieces.Count && file.Pieces[id].Type == PieceType.Control;
}
