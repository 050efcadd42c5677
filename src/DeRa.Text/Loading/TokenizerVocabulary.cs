using DeRa.Text.Tokenizers.Bpe;
using DeRa.Text.Tokenizers.SentencePiece;

namespace DeRa.Text.Loading;

/// <summary>
/// A tokenizer's vocabulary as its file lists it: what a program needs that has a tokenizer of the same kind of its own.
/// </summary>
public sealed record TokenizerVocabulary
{
    /// <summary>The pattern that GPT-2's byte-level tokenizers split text by, where the file has the library's own.</summary>
    public const string Gpt2Split = "gpt2";

    private const string File = "tokenizer.json", SentencePieceModel = "tokenizer.model";

    /// <summary>
    /// Whether pieces are merged over the alphabet of GPT-2's bytes; else over characters, with <c>▁</c> for a space and tokens for the
    /// bytes of others.
    /// </summary>
    public required bool IsByteLevel { get; init; }

    /// <summary>Every id; null where an id names no token.</summary>
    public required IReadOnlyList<VocabularyToken?> Tokens { get; init; }

    /// <summary>Merges in order, as <c>left right</c>; empty where scores alone say what merges.</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>
    /// What text is split by before it is merged: a pattern, <see cref="Gpt2Split"/>, or null where it is anything else.
    /// </summary>
    public string? Split { get; init; }

    /// <summary>Whether scores are those of a SentencePiece file; else they follow the order of the merges.</summary>
    public bool HasStoredScores { get; init; }

    /// <summary>Whether a space is put before a text.</summary>
    public bool AddsSpace { get; init; }

    /// <summary>The tokens that are put around a text, here an empty one.</summary>
    public IReadOnlyList<int> Surrounding { get; init; } = [];

    /// <summary>Reads a model's folder.</summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <exception cref="TokenizerException">There is no tokenizer, or one that <see cref="TokenizerLoader"/> refuses.</exception>
    public static TokenizerVocabulary Read(string folder)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        var (json, model) = (Path.Combine(folder, File), Path.Combine(folder, SentencePieceModel));
        var pieces = System.IO.File.Exists(model) ? SentencePieceFile.Read(model) : null;
        var vocabulary = System.IO.File.Exists(json) ? OfJson(tokenizer, JsonField.ReadFile(json), pieces) : OfPieces(tokenizer, pieces!);
        return vocabulary with { Surrounding = tokenizer.Encode("") };
    }

    private static TokenizerVocabulary OfPieces(ITokenizer tokenizer, SentencePieceFile file) => new()
    {
        IsByteLevel = false,
        Tokens = Listed(tokenizer, new Kinds(tokenizer) { File = file }),
        HasStoredScores = true,
        AddsSpace = file.AddsDummyPrefix,
    };

    private static TokenizerVocabulary OfJson(ITokenizer tokenizer, JsonField root, SentencePieceFile? file)
    {
        var model = root["model"];
        var isByteLevel = model.Find("byte_fallback")?.Flag() != true && IsByteLevelStep(root.Find("pre_tokenizer"));
        var merges = model["merges"].Items().Select(Merge).ToList();
        var added = (root.Find("added_tokens")?.Items() ?? []).Select(token => token["content"].Text());
        var kinds = new Kinds(tokenizer)
        {
            IsByteLevel = isByteLevel,
            Unknown = model.Find("unk_token")?.Text(),
            Trained = model["vocab"].Fields().Select(token => token.Name).Except(added).ToHashSet(StringComparer.Ordinal),
            File = isByteLevel ? null : file,
        };
        var tokens = Listed(tokenizer, kinds);
        return new TokenizerVocabulary
        {
            IsByteLevel = isByteLevel,
            Tokens = isByteLevel || file is not null ? tokens : Scored(tokens, merges),
            Merges = merges,
            Split = isByteLevel ? SplitOf(root["pre_tokenizer"]) : null,
            HasStoredScores = !isByteLevel && file is not null,
            AddsSpace = !isByteLevel && tokenizer.Encode("a", addSpecialTokens: false) is [var first, ..]
                && tokenizer.GetToken(first)!.StartsWith(SentencePieceNormalization.Space),
        };
    }

    private static string Merge(JsonField merge) =>
        merge.IsList ? string.Join(' ', merge.Items().Select(part => part.Text())) : merge.Text();

    private static List<VocabularyToken?> Listed(ITokenizer tokenizer, Kinds kinds)
    {
        var tokens = new List<VocabularyToken?>(tokenizer.VocabularySize);
        for (var id = 0; id < tokenizer.VocabularySize; id++)
            tokens.Add(tokenizer.GetToken(id) is not { } text ? null
                : new VocabularyToken(text, kinds.Of(id, text), kinds.Piece(id)?.Score ?? 0));
        return tokens;
    }

    /// <summary>The earlier a token is merged, the higher its score.</summary>
    private static List<VocabularyToken?> Scored(List<VocabularyToken?> tokens, List<string> merges)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var rank = 0; rank < merges.Count; rank++) ranks.TryAdd(merges[rank].Remove(merges[rank].IndexOf(' '), 1), rank);
        return [.. tokens.Select(token => token is not null && ranks.TryGetValue(token.Text, out var rank)
            ? token with { Score = -rank - 1 } : token)];
    }

    private static bool IsByteLevelStep(JsonField? step) => step is { } field && field["type"].Text() switch
    {
        "ByteLevel" => true,
        "Sequence" => field["pretokenizers"].Items().Any(inner => IsByteLevelStep(inner)),
        _ => false,
    };

    /// <summary>A pattern alone, or one before a byte level that does not split.</summary>
    private static string? SplitOf(JsonField step)
    {
        if (step["type"].Text() == "ByteLevel") return step.Find("use_regex")?.Flag() != false ? Gpt2Split : null;
        return step.Find("pretokenizers")?.Items().ToList() is [var split, var bytes]
            && split["type"].Text() == "Split" && bytes["type"].Text() == "ByteLevel" && bytes.Find("use_regex")?.Flag() == false
                ? split["pattern"].Find("Regex")?.Text()
                : null;
    }

    /// <summary>What tells the kinds of tokens apart.</summary>
    private sealed record Kinds(ITokenizer Tokenizer)
    {
        public bool IsByteLevel { get; init; }

        public string? Unknown { get; init; }

        /// <summary>Tokens that are no added ones; null where the SentencePiece file says.</summary>
        public HashSet<string>? Trained { get; init; }

        public SentencePieceFile? File { get; init; }

        public Piece? Piece(int id) => id < File?.Pieces.Count ? File.Pieces[id] : null;

        public TokenKind Of(int id, string text) =>
            Piece(id)?.Type == PieceType.Unknown || text == Unknown ? TokenKind.Unknown
            : Tokenizer.IsSpecial(id) ? TokenKind.Control
            : Piece(id)?.Type == PieceType.UserDefined || (Trained?.Contains(text) ?? Piece(id) is not null) == false ? TokenKind.Added
            : !IsByteLevel && ByteToken.TryRead(text, out _) ? TokenKind.Byte
            : TokenKind.Normal;
    }
}

/// <summary>A token of a vocabulary.</summary>
/// <param name="Text">As the vocabulary has it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Score">The higher, the earlier two neighbours merge to it; 0 where nothing says.</param>
public sealed record VocabularyToken(string Text, TokenKind Kind, float Score);

/// <summary>What a token is.</summary>
public enum TokenKind
{
    /// <summary>Text.</summary>
    Normal,

    /// <summary>Stands for what no other token can.</summary>
    Unknown,

    /// <summary>Special: not text.</summary>
    Control,

    /// <summary>Text that is found as a whole.</summary>
    Added,

    /// <summary>A byte, by its number: <c>&lt;0x0A&gt;</c>.</summary>
    Byte,
}
