using System.Globalization;

namespace DeRa.Text.Tokenizers;

/// <summary>
/// What lies beside a tokenizer's own file and changes what it does: <c>tokenizer_config.json</c> and, from older versions of
/// the transformers library, <c>added_tokens.json</c> and <c>special_tokens_map.json</c>. As in that library, a configuration
/// with <c>added_tokens_decoder</c> holds all that the older files say, which then count for nothing (they may be left from an
/// earlier save); without it the map goes before the configuration. Keys not read here change nothing that encoding or decoding
/// gives.
/// </summary>
internal sealed class TokenizerConfig
{
    private static readonly string[] NamesOfSpecialTokens =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private static readonly string[] ListsOfSpecialTokens = ["additional_special_tokens", "extra_special_tokens"];

    private const string AddedTokensField = "added_tokens_decoder";

    private readonly JsonField? _config;
    private readonly JsonField? _addedTokens;
    private readonly JsonField? _specialTokens;
    private readonly HashSet<string> _special;

    private TokenizerConfig(JsonField? config, JsonField? addedTokens, JsonField? specialTokens)
    {
        (_config, _addedTokens, _specialTokens) = (config, addedTokens, specialTokens);
        _special = NamesOfSpecialTokens.Select(FindName).OfType<JsonField>()
            .Concat(ListsOfSpecialTokens.SelectMany(name => ListOf(config?.Find(name)).Concat(ListOf(specialTokens?.Find(name)))))
            .Select(ReadTokenName).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Reads a model's folder, in which each of the files may be absent.</summary>
    /// <exception cref="TokenizerException">A file is malformed.</exception>
    public static TokenizerConfig Load(string folder)
    {
        JsonField? Read(string name) => JsonField.ReadFileIfPresent(Path.Combine(folder, name));
        var config = Read("tokenizer_config.json");
        return config?.Find(AddedTokensField) is not null
            ? new TokenizerConfig(config, null, null)
            : new TokenizerConfig(config, Read("added_tokens.json"), Read("special_tokens_map.json"));
    }

    /// <summary>A flag of tokenizer_config.json, or null where it states none.</summary>
    public bool? Flag(string name) => _config?.Find(name)?.Flag();

    /// <summary>Where a special token such as <c>eos_token</c> is named; null where no file that counts names it.</summary>
    public JsonField? FindName(string name) => _specialTokens?.Find(name) ?? _config?.Find(name);

    /// <summary>
    /// The tokens added to the vocabulary after training, each with the place that says so; special are those that a file
    /// flags or names so.
    /// </summary>
    /// <param name="known">
    /// The tokenizer's own tokens by their text. added_tokens.json gives no flags, so that these keep theirs.
    /// </param>
    public IEnumerable<(AddedToken Token, JsonField Field)> AddedTokens(IReadOnlyDictionary<string, AddedToken> known)
    {
        foreach (var (name, field) in _config?.Find(AddedTokensField)?.Fields() ?? [])
            yield return (WithName(AddedToken.Read(field, ReadId(name, field))), field);
        foreach (var (content, field) in _addedTokens?.Fields() ?? [])
        {
            var token = known.GetValueOrDefault(content) ?? new AddedToken(0, content, false, false, false, Normalized: false, false);
            yield return (WithName(token with { Id = field.Integer(0, TokenTable.HighestId) }), field);
        }
    }

    /// <summary>Applies <c>add_bos_token</c> and <c>add_eos_token</c>, where the file states them.</summary>
    /// <param name="surrounding">What the tokenizer's own file says.</param>
    /// <param name="tokens">The vocabulary.</param>
    /// <param name="begin">The token that begins a text where no file names one.</param>
    /// <param name="end">The token that ends a text where no file names one.</param>
    public SurroundingTokens Surround(SurroundingTokens surrounding, TokenTable tokens, int? begin = null, int? end = null)
    {
        if (Flag("add_bos_token") is { } addBegin && (IdOf("bos_token", tokens) ?? begin) is { } first)
            surrounding = surrounding.WithBegin(first, addBegin);
        if (Flag("add_eos_token") is { } addEnd && (IdOf("eos_token", tokens) ?? end) is { } last)
            surrounding = surrounding.WithEnd(last, addEnd);
        return surrounding;
    }

    /// <summary>Reads how a file names a special token: as a text, or as an object with its <c>content</c>.</summary>
    public static string ReadTokenName(JsonField field) => field.IsObject ? field["content"].Text() : field.Text();

    private AddedToken WithName(AddedToken token) => token with { Special = token.Special || _special.Contains(token.Content) };

    private int? IdOf(string name, TokenTable tokens)
    {
        if (FindName(name) is not { } field) return null;
        var token = ReadTokenName(field);
        return tokens.IdOf(token) ?? throw field.Error($"'{token}' is not in the vocabulary");
    }

    private static int ReadId(string name, JsonField field) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id <= TokenTable.HighestId
            ? id
            : throw field.Error($"must have a token id up to {TokenTable.HighestId} as its name");

    /// <summary>The library has written these as a list and as an object of names.</summary>
    private static IEnumerable<JsonField> ListOf(JsonField? field) => field switch
    {
        null => [],
        { IsObject: true } names => names.Fields().Select(name => name.Value),
        { } list => list.Items(),
    };
}
