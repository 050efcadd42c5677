using System.Text.Json.Nodes;

namespace DeRa.Cli.Bench.Pairs;

/// <summary>
/// A tokenizer of Llama's form for models whose tokens mean nothing: control tokens, the 256 bytes, letters, then all pairs and triples of
/// letters, triples after a space and fours, as far as the vocabulary goes.
/// </summary>
internal static class RandomTokenizer
{
    /// <summary>Ids of the tokens that begin and end a text.</summary>
    public const int Bos = 1, Eos = 2;

    private const string Space = "▁", Letters = "abcdefghijklmnopqrstuvwxyz";

    /// <summary>What <c>tokenizer_config.json</c> holds: a template with which chats are read as plain text.</summary>
    public static JsonObject Config => new()
    {
        ["tokenizer_class"] = "LlamaTokenizer",
        ["bos_token"] = "<s>",
        ["eos_token"] = "</s>",
        ["chat_template"] = "{{ bos_token }}{% for message in messages %}{{ message['content'] + ' ' }}{% endfor %}",
    };

    /// <summary>What <c>tokenizer.json</c> holds.</summary>
    /// <param name="vocabulary">Tokens: at least the 962 that are no triples, at most the 493,090 with all fours.</param>
    public static JsonObject Create(int vocabulary)
    {
        List<string> tokens =
        [
            "<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), Space,
            .. Letters.Select(letter => letter.ToString()),
        ];
        var pairs = Letters.SelectMany(first => Letters.Select(second => (Left: $"{first}", Right: $"{second}"))).ToList();
        var triples = pairs.SelectMany(pair => Letters.Select(third => (Left: pair.Left + pair.Right, Right: $"{third}"))).ToList();
        var fours = triples.SelectMany(triple => Letters.Select(fourth => (Left: triple.Left + triple.Right, Right: $"{fourth}")));
        var merges = pairs.Concat(triples).Concat(triples.Select(triple => (Left: Space, Right: triple.Left + triple.Right))).Concat(fours)
            .Take(vocabulary - tokens.Count).ToList();
        tokens.AddRange(merges.Select(merge => merge.Left + merge.Right));
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. tokens.Take(3).Select((token, id) => Control(id, token))]),
            ["normalizer"] = JsonNode.Parse($$"""{ "type": "Replace", "pattern": { "String": " " }, "content": "{{Space}}" }"""),
            ["pre_tokenizer"] = null,
            ["post_processor"] = JsonNode.Parse($$"""
                { "type": "TemplateProcessing",
                  "single": [ { "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } } ],
                  "pair": [],
                  "special_tokens": { "<s>": { "id": "<s>", "ids": [{{Bos}}], "tokens": ["<s>"] } } }
                """),
            ["decoder"] = JsonNode.Parse($$"""
                { "type": "Sequence", "decoders": [
                  { "type": "Replace", "pattern": { "String": "{{Space}}" }, "content": " " },
                  { "type": "ByteFallback" }, { "type": "Fuse" } ] }
                """),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["vocab"] = new JsonObject(tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
                ["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}")]),
            },
        };
    }

    private static JsonObject Control(int id, string token) => new()
    {
        ["id"] = id,
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}
