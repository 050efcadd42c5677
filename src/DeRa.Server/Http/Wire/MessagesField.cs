using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Engine.Text;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads <c>messages</c>: turns of a conversation, each a text or a list of text parts.</summary>
internal static class MessagesField
{
    private const string Name = "messages";

    /// <summary>Reads the conversation.</summary>
    /// <exception cref="InvalidRequestException">It is missing, empty or of another form; the error names the part.</exception>
    public static ChatPrompt Read(RequestFields fields)
    {
        if (fields.Value(Name) is not { } messages) throw new InvalidRequestException(Name, $"'{Name}' is missing.");
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
            throw RequestFields.Wrong(Name, "a list of at least one message");
        return new ChatPrompt([.. messages.EnumerateArray().Select((message, i) => Message(message, $"{Name}[{i}]"))]);
    }

    private static ChatMessage Message(JsonElement message, string field)
    {
        if (message.ValueKind != JsonValueKind.Object) throw RequestFields.Wrong(field, "an object with 'role' and 'content'");
        foreach (var part in message.EnumerateObject()) CheckKnown(FieldText.Name(part), part.Value, field);
        return new ChatMessage(Role(message, $"{field}.role"), Content(message, $"{field}.content"));
    }

    private static void CheckKnown(string name, JsonElement value, string field)
    {
        // A participant's name is a hint that plain templates have no place for. Clients send earlier answers back with
        // all their fields, such as a refusal that is null or an empty list of annotations: those say nothing.
        if (name is "role" or "content" or "name" || value.ValueKind == JsonValueKind.Null) return;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0) return;
        throw new InvalidRequestException($"{field}.{name}", $"'{field}.{name}' does not work here; leave it out.");
    }

    private static string Role(JsonElement message, string field)
    {
        if (!message.TryGetProperty("role", out var value)) throw new InvalidRequestException(field, $"'{field}' is missing.");
        return FieldText.Of(value, field) switch
        {
            // OpenAI's newer name for the same role.
            "system" or "developer" => "system",
            "" => throw RequestFields.Wrong(field, "not empty"),
            // Which others there are is for the model's chat template to say.
            var role => role,
        };
    }

    private static string Content(JsonElement message, string field)
    {
        if (!message.TryGetProperty("content", out var content)) throw new InvalidRequestException(field, $"'{field}' is missing.");
        if (content.ValueKind != JsonValueKind.Array) return FieldText.Of(content, field);
        return string.Concat(content.EnumerateArray().Select((part, i) => Part(part, $"{field}[{i}]")));
    }

    private static string Part(JsonElement part, string field)
    {
        if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
            throw RequestFields.Wrong(field, "an object with 'type'");
        if (!type.ValueEquals("text")) throw RequestFields.Wrong($"{field}.type", "'text': other parts do not work here");
        return part.TryGetProperty("text", out var text) ? FieldText.Of(text, $"{field}.text")
            : throw new InvalidRequestException($"{field}.text", $"'{field}.text' is missing.");
    }
}
