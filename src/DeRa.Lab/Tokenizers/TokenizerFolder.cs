using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Lab.Tokenizers;

/// <summary>Writes a tokenizer's files in Hugging Face layout.</summary>
internal static class TokenizerFolder
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        // For readable tokens: the default encoder escapes most of them.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c> (with the chat template where the tokenizer has its special tokens) and
    /// <c>special_tokens_map.json</c>, replacing existing ones. The first special token ends a text, and is also put before one (GPT-2's
    /// convention), so that a model knows that a text begins.
    /// </summary>
    /// <param name="folder">The folder; created if missing.</param>
    /// <param name="tokenizer">What to write.</param>
    /// <param name="contextTokens">The model's context: prompt and completion together; at least 1.</param>
    public static void Write(string folder, TrainedBpe tokenizer, int contextTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextTokens, 1);
        Directory.CreateDirectory(folder);
        Write(folder, "tokenizer.json", TokenizerJson(tokenizer));
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = tokenizer.SpecialTokens[0],
            ["eos_token"] = tokenizer.SpecialTokens[0],
            ["model_max_length"] = contextTokens,
            ["clean_up_tokenization_spaces"] = false,
        };
        if (ZephyrTemplate.SpecialTokens.All(tokenizer.SpecialTokens.Contains)) config["chat_template"] = ZephyrTemplate.Jinja;
        Write(folder, "tokenizer_config.json", config);
        Write(folder, "special_tokens_map.json", SpecialTokensMap(tokenizer));
    }

    private static void Write(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Readable) + "\n");

    private static JsonObject TokenizerJson(TrainedBpe tokenizer) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray([.. tokenizer.SpecialTokens.Select(AddedToken)]),
        ["normalizer"] = null,
        ["pre_tokenizer"] = ByteLevel(),
        ["post_processor"] = BeginOfText(tokenizer.SpecialTokens[0]),
        ["decoder"] = ByteLevel(),
        ["model"] = Model(tokenizer),
    };

    /// <summary>Puts the first special token before a text, as a model sees it in training: after another text's end.</summary>
    private static JsonObject BeginOfText(string token) => new()
    {
        ["type"] = "TemplateProcessing",
        ["single"] = new JsonArray(Special(token), Sequence("A", 0)),
        ["pair"] = new JsonArray(Special(token), Sequence("A", 0), Sequence("B", 1)),
        ["special_tokens"] = new JsonObject
        {
            [token] = new JsonObject { ["id"] = token, ["ids"] = new JsonArray(0), ["tokens"] = new JsonArray(token) },
        },
    };

    private static JsonObject Special(string token) =>
        new() { ["SpecialToken"] = new JsonObject { ["id"] = token, ["type_id"] = 0 } };

    private static JsonObject Sequence(string id, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = type } };

    private static JsonObject AddedToken(string token, int id) => new()
    {
        ["id"] = id,
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };

    private static JsonObject ByteLevel() => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = true,
    };

    private static JsonObject Model(TrainedBpe tokenizer) => new()
    {
        ["type"] = "BPE",
        ["dropout"] = null,
        ["unk_token"] = null,
        ["continuing_subword_prefix"] = null,
        ["end_of_word_suffix"] = null,
        ["fuse_unk"] = false,
        ["byte_fallback"] = false,
        ["ignore_merges"] = false,
        ["vocab"] = new JsonObject(tokenizer.Vocabulary.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))),
        ["merges"] = new JsonArray([.. tokenizer.Merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}")]),
    };

    private static JsonObject SpecialTokensMap(TrainedBpe tokenizer)
    {
        var map = new JsonObject { ["bos_token"] = tokenizer.SpecialTokens[0], ["eos_token"] = tokenizer.SpecialTokens[0] };
        if (tokenizer.SpecialTokens.Count > 1)
            map["additional_special_tokens"] = new JsonArray([.. tokenizer.SpecialTokens.Skip(1).Select(token => (JsonNode)token)]);
        return map;
    }
}
