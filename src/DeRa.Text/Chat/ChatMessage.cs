using System.Text.Json.Nodes;

namespace DeRa.Text.Chat;

/// <summary>One message of a conversation: all that a chat template may read of it.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">What is said; any text. Empty where an assistant only calls tools.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>A message in parts.</summary>
    /// <param name="role">Who speaks.</param>
    /// <param name="parts">What is said; <see cref="Content"/> becomes their texts, joined.</param>
    public ChatMessage(string role, IReadOnlyList<ChatPart> parts) : this(role, string.Concat(parts.Select(part => part.Text))) =>
        Parts = parts;

    /// <summary>What is said, where a template is to see it in parts; null = as the one text <see cref="Content"/>.</summary>
    public IReadOnlyList<ChatPart>? Parts { get; }

    /// <summary>The participant's name; null = none.</summary>
    public string? Name { get; init; }

    /// <summary>Tools that an assistant's message calls, in order.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>The call to which a tool's message responds; null = none.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The message as templates receive it, under Hugging Face's names; what it does not have is left out.</summary>
    /// <param name="role">What to make of the role.</param>
    /// <param name="text">What to make of every other text, names in a tool's arguments included.</param>
    public JsonObject ToJson(Func<string, string> role, Func<string, string> text)
    {
        var json = new JsonObject
        {
            ["role"] = role(Role),
            ["content"] = Parts is { } parts ? new JsonArray([.. parts.Select(part => part.ToJson(text))]) : text(Content),
        };
        if (Name is { } name) json["name"] = text(name);
        if (ToolCalls.Count > 0) json["tool_calls"] = new JsonArray([.. ToolCalls.Select(call => call.ToJson(text))]);
        if (ToolCallId is { } id) json["tool_call_id"] = text(id);
        return json;
    }
}

/// <summary>A part of a message's content.</summary>
/// <param name="Text">What is said; any text.</param>
public sealed record ChatPart(string Text)
{
    internal JsonNode ToJson(Func<string, string> text) => new JsonObject { ["type"] = "text", ["text"] = text(Text) };
}

/// <summary>A call of a tool, which an assistant's message makes.</summary>
/// <param name="Id">By what the tool's response refers to it.</param>
/// <param name="Name">The function.</param>
/// <param name="Arguments">Its arguments by name; not changed by rendering.</param>
public sealed record ToolCall(string Id, string Name, JsonObject Arguments)
{
    internal JsonNode ToJson(Func<string, string> text) => new JsonObject
    {
        ["id"] = text(Id),
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = text(Name), ["arguments"] = WithTexts(Arguments, text) },
    };

    private static JsonNode? WithTexts(JsonNode? json, Func<string, string> text) => json switch
    {
        JsonObject fields => new JsonObject(fields.Select(field =>
            new KeyValuePair<string, JsonNode?>(text(field.Key), WithTexts(field.Value, text)))),
        JsonArray list => new JsonArray([.. list.Select(item => WithTexts(item, text))]),
        JsonValue value when value.TryGetValue<string>(out var given) => text(given),
        _ => json?.DeepClone(),
    };
}
