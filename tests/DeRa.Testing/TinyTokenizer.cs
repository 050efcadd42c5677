using System.Text.Json.Nodes;
using DeRa.Text;
using DeRa.Text.Loading;
using DeRa.Text.Tokenizers.Bpe;

namespace DeRa.Testing;

/// <summary>Small tokenizer.json files, made in the test so that a test can change one thing in them.</summary>
public static class TinyTokenizer
{
    /// <summary>
    /// Byte-level: ids 0–255 are the bytes in the alphabet's order of value, then the merges' results, then <c>&lt;s&gt;</c>,
    /// which begins a text.
    /// </summary>
    public static JsonObject ByteLevel()
    {
        string[] merges = ["t h", "th e", "Ġ the", "a a", "aa aa", "Ã ©", "e r", "Ġ t"];
        var vocabulary = Enumerable.Range(0, 256).Select(b => Spell((byte)b)).Concat(merges.Select(Join)).ToList();
        return Make(vocabulary, merges, ["<s>"], byteFallback: false,
            preTokenizer: """{ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true }""",
            normalizer: "null",
            decoder: """{ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true }""");
    }

    /// <summary>
    /// Llama's form: <c>&lt;unk&gt;</c> 0, <c>&lt;s&gt;</c> 1, <c>&lt;/s&gt;</c> 2, bytes 3–258, then characters and merges.
    /// </summary>
    public static JsonObject ByteFallback()
    {
        string[] merges = ["▁ t", "h e", "▁t he", "a a", "aa aa", "▁ ▁"];
        var vocabulary = new[] { "<unk>", "<s>", "</s>" }
            .Concat(Enumerable.Range(0, 256).Select(b => ByteToken.Format((byte)b)))
            .Concat("▁abcdehnort.é".Select(c => c.ToString())).Concat(merges.Select(Join)).ToList();
        return Make(vocabulary, merges, ["<unk>", "<s>", "</s>"], byteFallback: true,
            preTokenizer: "null",
            normalizer: """
                { "type": "Sequence", "normalizers": [
                  { "type": "Prepend", "prepend": "▁" },
                  { "type": "Replace", "pattern": { "String": " " }, "content": "▁" } ] }
                """,
            decoder: """
                { "type": "Sequence", "decoders": [
                  { "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
                  { "type": "ByteFallback" }, { "type": "Fuse" },
                  { "type": "Strip", "content": " ", "start": 1, "stop": 0 } ] }
                """);
    }

    /// <summary>Loads a tokenizer.json.</summary>
    public static ITokenizer Load(JsonNode tokenizer, string? config = null)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", tokenizer.ToJsonString());
        if (config is not null) folder.Write("tokenizer_config.json", config);
        return TokenizerLoader.Load(folder.Path);
    }

    /// <summary>The tokens of a text as the vocabulary spells them.</summary>
    public static string[] Tokens(this ITokenizer tokenizer, string text, bool parseSpecialTokens = false) =>
        [.. tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens).Select(id => tokenizer.GetToken(id)!)];

    /// <summary>Adds a token after those that are there.</summary>
    public static JsonObject WithAddedToken(this JsonObject tokenizer, string content, string flags)
    {
        var id = tokenizer["model"]!["vocab"]!.AsObject().Select(token => token.Value!.GetValue<int>())
            .Concat(tokenizer["added_tokens"]!.AsArray().Select(token => token!["id"]!.GetValue<int>())).Max() + 1;
        tokenizer["added_tokens"]!.AsArray().Add(AddedToken(id, content, flags));
        return tokenizer;
    }

    private static string Join(string merge) => merge.Replace(" ", "", StringComparison.Ordinal);

    /// <summary>Latin-1 text has one byte a character but for those past 0x7F, so spell bytes one by one by hand.</summary>
    private static string Spell(byte value)
    {
        var printable = value is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE;
        if (printable) return ((char)value).ToString();
        var before = Enumerable.Range(0, value).Count(b => b is not (>= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE));
        return ((char)(0x100 + before)).ToString();
    }

    private static JsonObject Make(
        List<string> vocabulary, string[] merges, string[] special, bool byteFallback, string preTokenizer, string normalizer,
        string decoder)
    {
        vocabulary.AddRange(special.Except(vocabulary));
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. special.Select(token => AddedToken(vocabulary.IndexOf(token), token, "special"))]),
            ["normalizer"] = JsonNode.Parse(normalizer),
            ["pre_tokenizer"] = JsonNode.Parse(preTokenizer),
            ["post_processor"] = Template("<s>", vocabulary.IndexOf("<s>")),
            ["decoder"] = JsonNode.Parse(decoder),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = byteFallback ? "<unk>" : null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = byteFallback,
                ["byte_fallback"] = byteFallback,
                ["vocab"] = new JsonObject(vocabulary.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
                ["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)merge)]),
            },
        };
    }

    private static JsonObject AddedToken(int id, string content, string flags) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = flags.Contains("single_word", StringComparison.Ordinal),
        ["lstrip"] = flags.Contains("lstrip", StringComparison.Ordinal),
        ["rstrip"] = flags.Contains("rstrip", StringComparison.Ordinal),
        ["normalized"] = flags.Contains("normalized", StringComparison.Ordinal),
        ["special"] = flags.Contains("special", StringComparison.Ordinal),
    };

    private static JsonObject Template(string token, int id) => JsonNode.Parse($$"""
        { "type": "TemplateProcessing",
          "single": [ { "SpecialToken": { "id": "{{token}}", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } } ],
          "pair": [],
          "special_tokens": { "{{token}}": { "id": "{{token}}", "ids": [{{id}}], "tokens": ["{{token}}"] } } }
        """)!.AsObject();
}
