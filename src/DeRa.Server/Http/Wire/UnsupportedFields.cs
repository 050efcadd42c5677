using System.Text.Json;

namespace DeRa.Server.Http.Wire;

/// <summary>
/// Fields of OpenAI's and vLLM's requests that do not work here, each with a test for the values that ask for nothing.
/// </summary>
internal static class UnsupportedFields
{
    /// <summary>Those of both endpoints.</summary>
    private static readonly Dictionary<string, Func<JsonElement, bool>> Common = new()
    {
        ["spaces_between_special_tokens"] = IsTrue,
        ["use_beam_search"] = IsFalse,
        ["length_penalty"] = IsOne,
        ["logits_processors"] = IsEmpty,
        ["response_format"] = IsTextFormat,
        ["structured_outputs"] = Never,
        ["guided_json"] = Never,
        ["guided_regex"] = Never,
        ["guided_choice"] = Never,
        ["guided_grammar"] = Never,
        ["kv_transfer_params"] = Never,
    };

    /// <summary>Those of <c>/v1/completions</c>.</summary>
    public static IReadOnlyDictionary<string, Func<JsonElement, bool>> Completion { get; } = With(new()
    {
        ["suffix"] = IsEmpty,
        ["prompt_embeds"] = Never,
        ["messages"] = Never,
        ["top_logprobs"] = Never,
    });

    /// <summary>Those of <c>/v1/chat/completions</c>.</summary>
    public static IReadOnlyDictionary<string, Func<JsonElement, bool>> Chat { get; } = With(new()
    {
        ["best_of"] = Never,
        ["tools"] = IsEmpty,
        ["tool_choice"] = value => value.ValueKind == JsonValueKind.String && (value.ValueEquals("none") || value.ValueEquals("auto")),
        ["functions"] = IsEmpty,
        ["function_call"] = value => value.ValueKind == JsonValueKind.String && (value.ValueEquals("none") || value.ValueEquals("auto")),
        ["modalities"] = value => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsText),
        ["audio"] = Never,
        ["web_search_options"] = Never,
        ["moderation"] = Never,
        ["echo"] = IsFalse,
        ["parse_special"] = IsFalse,
        ["prompt"] = Never,
        ["chat_template"] = Never,
        ["documents"] = IsEmpty,
    });

    /// <summary>Those of <c>/tokenize</c> with a prompt.</summary>
    public static IReadOnlyDictionary<string, Func<JsonElement, bool>> TokenizeText { get; } = WithStrengths(new()
    {
        // Only a conversation has them; clients send them with a prompt too.
        ["add_generation_prompt"] = IsTrue,
        ["continue_final_message"] = IsFalse,
        ["chat_template_kwargs"] = IsEmpty,
        ["messages"] = Never,
    });

    /// <summary>Those of <c>/tokenize</c> with messages.</summary>
    public static IReadOnlyDictionary<string, Func<JsonElement, bool>> TokenizeChat { get; } = WithStrengths(new()
    {
        ["prompt"] = Never,
        ["parse_special"] = IsFalse,
        ["tools"] = IsEmpty,
        ["chat_template"] = Never,
        ["media_io_kwargs"] = IsEmpty,
        ["mm_processor_kwargs"] = IsEmpty,
    });

    /// <summary>Those of <c>/detokenize</c>.</summary>
    public static IReadOnlyDictionary<string, Func<JsonElement, bool>> Detokenize { get; } = WithStrengths(new()
    {
        ["skip_special_tokens"] = IsFalse,
    });

    /// <summary>Tokens are the same whatever the strength.</summary>
    private static Dictionary<string, Func<JsonElement, bool>> WithStrengths(Dictionary<string, Func<JsonElement, bool>> own)
    {
        foreach (var name in (string[])["alignment_strength", "alignment_strengths", "lambda"]) own[name] = Never;
        return own;
    }

    private static Dictionary<string, Func<JsonElement, bool>> With(Dictionary<string, Func<JsonElement, bool>> own)
    {
        foreach (var (name, test) in Common) own[name] = test;
        return own;
    }

    private static bool Never(JsonElement value) => false;

    private static bool IsTrue(JsonElement value) => value.ValueKind == JsonValueKind.True;

    private static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    private static bool IsOne(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.GetDouble() == 1;

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.ValueEquals("text");

    private static bool IsTextFormat(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out var type) && IsText(type);

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
