using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Fields of OpenAI's and vLLM's requests that do not work here, by endpoint.</summary>
internal static class UnsupportedFields
{
    private const string LeaveOut = "leave it out";

    private static readonly UnsupportedField Never = new(LeaveOut);
    private static readonly UnsupportedField ButEmpty = new(LeaveOut, IsEmptyObject);
    private static readonly UnsupportedField ButTrue = new(LeaveOut, value => value.ValueKind == JsonValueKind.True);
    private static readonly UnsupportedField ButNoTool = new(LeaveOut, value => IsOneOf(value, "none", "auto"));
    private static readonly UnsupportedField OfCompletions = new("it belongs to /v1/completions");

    /// <summary>Those of both endpoints.</summary>
    private static readonly Dictionary<string, UnsupportedField> Common = new()
    {
        // Either value is what fast tokenizers do.
        ["spaces_between_special_tokens"] = ButTrue,
        ["use_beam_search"] = Never,
        // Only beams have a use for it.
        ["length_penalty"] = new(LeaveOut, value => value.ValueKind == JsonValueKind.Number),
        ["logits_processors"] = Never,
        ["response_format"] = new(LeaveOut, value => IsEmptyObject(value) || IsTextFormat(value)),
        // No structure at all is a fault to vLLM, and any JSON is what an empty schema asks for.
        ["structured_outputs"] = Never,
        ["guided_json"] = Never,
        ["guided_regex"] = Never,
        ["guided_choice"] = Never,
        ["guided_grammar"] = Never,
        ["kv_transfer_params"] = ButEmpty,
    };

    /// <summary>Those of <c>/v1/completions</c>.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> Completion { get; } = With(new()
    {
        ["suffix"] = Never,
        ["prompt_embeds"] = Never,
        ["messages"] = new("it belongs to /v1/chat/completions, and 'prompt' to this path"),
        ["top_logprobs"] = new("it belongs to /v1/chat/completions; here 'logprobs' is the number of likeliest tokens",
            value => IsNumber(value, 0)),
    });

    /// <summary>Those of <c>/v1/chat/completions</c>.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> Chat { get; } = With(new()
    {
        ["best_of"] = new(OfCompletions.Advice, value => IsNumber(value, 1)),
        ["tools"] = Never,
        ["tool_choice"] = ButNoTool,
        ["functions"] = Never,
        ["function_call"] = ButNoTool,
        ["modalities"] = new(LeaveOut, value => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsText)),
        ["audio"] = Never,
        // An empty object asks for a search with its defaults.
        ["web_search_options"] = Never,
        ["moderation"] = Never,
        ["echo"] = OfCompletions,
        ["parse_special"] = OfCompletions,
        ["prompt"] = new("it belongs to /v1/completions, and 'messages' to this path"),
        ["chat_template"] = Never,
        ["documents"] = Never,
    });

    /// <summary>Those of <c>/tokenize</c> with a prompt.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> TokenizeText { get; } = WithStrengths(new()
    {
        // Only a conversation has them; clients send them with a prompt too.
        ["add_generation_prompt"] = ButTrue,
        ["continue_final_message"] = Never,
        ["chat_template_kwargs"] = ButEmpty,
        ["messages"] = Never,
    });

    /// <summary>Those of <c>/tokenize</c> with messages.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> TokenizeChat { get; } = WithStrengths(new()
    {
        ["prompt"] = new("'messages' are set too, so send one of them"),
        ["parse_special"] = Never,
        ["tools"] = Never,
        ["chat_template"] = Never,
        ["media_io_kwargs"] = ButEmpty,
        ["mm_processor_kwargs"] = ButEmpty,
    });

    /// <summary>Those of <c>/v1/realignment/score</c>.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> Score { get; } = new Dictionary<string, UnsupportedField>
    {
        ["alignment_strength"] = new("'alignment_sweep' holds the strengths"),
        ["alignment_strengths"] = new("'alignment_sweep' holds the strengths"),
        ["lambda"] = new("'alignment_sweep' holds the strengths"),
        ["prompt"] = new("it belongs into 'items'"),
        ["messages"] = new("they belong into 'items'"),
    };

    /// <summary>Those of its items.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> ScoreItem { get; } = new Dictionary<string, UnsupportedField>();

    /// <summary>Those of <c>/detokenize</c>.</summary>
    public static IReadOnlyDictionary<string, UnsupportedField> Detokenize { get; } = WithStrengths(new()
    {
        ["skip_special_tokens"] = Never,
    });

    /// <summary>Tokens are the same whatever the strength.</summary>
    private static Dictionary<string, UnsupportedField> WithStrengths(Dictionary<string, UnsupportedField> own)
    {
        foreach (var field in EndpointFields.Strengths) own[field.Name] = ButEmpty;
        return own;
    }

    private static Dictionary<string, UnsupportedField> With(Dictionary<string, UnsupportedField> own)
    {
        foreach (var (name, field) in Common) own[name] = field;
        return own;
    }

    private static bool IsNumber(JsonElement value, double number) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() == number;

    private static bool IsOneOf(JsonElement value, params string[] texts) =>
        value.ValueKind == JsonValueKind.String && Array.Exists(texts, text => value.ValueEquals(text));

    private static bool IsText(JsonElement value) => IsOneOf(value, "text");

    private static bool IsTextFormat(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out var type) && IsText(type);

    /// <summary>An object of nothing but nulls is as empty as one of nothing.</summary>
    private static bool IsEmptyObject(JsonElement value) => value.ValueKind == JsonValueKind.Object
        && value.EnumerateObject().All(entry => entry.Value.ValueKind == JsonValueKind.Null);
}
