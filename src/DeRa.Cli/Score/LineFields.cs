using System.Text.Json;
using DeRa.Serving.Requests;
using DeRa.Text.Chat;

namespace DeRa.Cli.Score;

/// <summary>The fields of an object on a line. Errors name the field; the reader of the file adds the line.</summary>
internal sealed class LineFields
{
    private readonly JsonElement _line;

    private LineFields(JsonElement line) => _line = line;

    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">It is no JSON object.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static LineFields Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.ValueKind == JsonValueKind.Object ? new LineFields(document.RootElement.Clone())
            : throw new FormatException("the line must be a JSON object.");
    }

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string name) => Find(_line, name) is not null;

    /// <summary>Whether a field holds a message or a list of them, rather than a text or tokens.</summary>
    public bool IsConversation(string name) => Find(_line, name) is { } value && (value.ValueKind == JsonValueKind.Object
        || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.Object));

    /// <summary>A text.</summary>
    /// <exception cref="FormatException">It is missing, or no text.</exception>
    public string Text(string name) => Text(Required(_line, name, name), name);

    /// <summary>A text, or a list of token ids.</summary>
    /// <exception cref="FormatException">It is missing, or neither.</exception>
    public PromptInput TextOrTokens(string name)
    {
        var value = Required(_line, name, name);
        if (value.ValueKind != JsonValueKind.Array) return new TextPrompt(Text(value, name, "a text or a list of token ids"), name);
        return new TokenPrompt([.. value.EnumerateArray().Select((id, i) =>
            id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var token) ? token
                : throw Wrong($"{name}[{i}]", "a token id, a whole number"))], name);
    }

    /// <summary>The messages of a conversation.</summary>
    /// <exception cref="FormatException">They are missing, or a part is of another form.</exception>
    public IReadOnlyList<ChatMessage> Messages(string name)
    {
        var value = Required(_line, name, name);
        if (value.ValueKind == JsonValueKind.Object) return [Message(value, name)];
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? [.. value.EnumerateArray().Select((message, i) => Message(message, $"{name}[{i}]"))]
            : throw Wrong(name, "a list of at least one message");
    }

    private static ChatMessage Message(JsonElement message, string field)
    {
        if (message.ValueKind != JsonValueKind.Object) throw Wrong(field, "an object with 'role' and 'content'");
        var role = Text(Required(message, "role", $"{field}.role"), $"{field}.role");
        return new ChatMessage(role == "developer" ? "system" : role, Content(message, $"{field}.content"));
    }

    private static string Content(JsonElement message, string field)
    {
        var content = Required(message, "content", field);
        if (content.ValueKind != JsonValueKind.Array) return Text(content, field, "a text or a list of parts of type text");
        return string.Concat(content.EnumerateArray().Select((part, i) =>
            part.ValueKind == JsonValueKind.Object
                && Find(part, "type") is { ValueKind: JsonValueKind.String } type && type.ValueEquals("text")
                ? Text(Required(part, "text", $"{field}[{i}].text"), $"{field}[{i}].text")
                : throw Wrong($"{field}[{i}]", "a part of type 'text'")));
    }

    private static JsonElement Required(JsonElement holder, string name, string field) =>
        Find(holder, name) ?? throw new FormatException($"'{field}' is missing.");

    private static JsonElement? Find(JsonElement holder, string name) =>
        holder.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement value, string field, string what = "a text")
    {
        if (value.ValueKind != JsonValueKind.String) throw Wrong(field, what);
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(field, "valid Unicode: it holds half a surrogate pair");
        }
    }

    private static FormatException Wrong(string field, string what) => new($"'{field}' must be {what}.");
}
