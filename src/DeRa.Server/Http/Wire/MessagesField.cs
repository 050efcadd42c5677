using System.Text.Json;
using DeRa.Hosting.Options;
using DeRa.Serving.Requests;
using DeRa.Text.Chat;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads <c>messages</c>: turns of a conversation, each a text or a list of text parts.</summary>
internal static class MessagesField
{
    private const string Name = "messages";

    /// <summary>What a message may hold. A participant's name is a hint that plain templates have no place for.</summary>
    private static readonly string[] OfMessage = ["role", "content", "name", Strength];

    private const string Strength = "alignment_strength";

    /// <summary>What Azure's responses put into a message, and clients send back; 'content' is not meant.</summary>
    private const string OfAzure = "context";

    /// <summary>What a part may hold. Where a prompt is best cached is a hint too.</summary>
    private static readonly string[] OfPart = ["type", "text", "prompt_cache_breakpoint"];

    /// <summary>What asks for something, or says something, that does not work here.</summary>
    private static readonly string[] Unsupported = ["tool_calls", "tool_call_id", "function_call", "audio", "refusal", "annotations"];

    /// <summary>Reads the conversation.</summary>
    /// <exception cref="InvalidRequestException">It is missing, empty or of another form; the error names the part.</exception>
    public static ChatPrompt Read(JsonFields fields)
    {
        if (fields.Value(Name) is not { } messages) throw new InvalidRequestException(Name, $"'{Name}' is missing.");
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
            throw JsonFields.Wrong(Name, "a list of at least one message");
        return new ChatPrompt([.. messages.EnumerateArray().Select((message, i) => Message(fields, message, $"{Name}[{i}]"))])
        {
            Strengths = [.. messages.EnumerateArray().Select((message, i) => StrengthOf(message, $"{Name}[{i}].{Strength}"))
                .OfType<MessageStrength>()],
        };
    }

    private static MessageStrength? StrengthOf(JsonElement message, string field) => Value(message, Strength) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number => new MessageStrength(field, number.GetDouble()),
        _ => throw JsonFields.Wrong(field, "a number"),
    };

    private static ChatMessage Message(JsonFields fields, JsonElement message, string field)
    {
        if (message.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong(field, "an object with 'role' and 'content'");
        CheckNames(fields, message, OfMessage, field, Name);
        return new ChatMessage(Role(message, $"{field}.role"), Content(fields, message, $"{field}.content"));
    }

    /// <summary>Refuses what does not work and what is probably misspelt, and takes note of what else nobody here knows.</summary>
    private static void CheckNames(JsonFields fields, JsonElement holder, string[] known, string field, string ignoredIn)
    {
        foreach (var entry in holder.EnumerateObject())
        {
            var name = FieldText.Name(entry);
            if (known.Contains(name) || SaysNothing(entry.Value)) continue;
            if (Unsupported.Contains(name))
                throw new InvalidRequestException($"{field}.{name}", $"'{field}.{name}' does not work here; leave it out.");
            var ignored = $"{ignoredIn}.{name}";
            // What one message holds, the others mostly hold too.
            if (fields.IsIgnored(ignored)) continue;
            if (name != OfAzure && Meant(name, known) is { } meant)
                throw new InvalidRequestException($"{field}.{name}", $"'{field}.{name}' is not a field; is '{meant}' meant?");
            fields.Ignore(ignored);
        }
    }

    private static string? Meant(string name, string[] known) =>
        NearestName.Find(name, known) ?? (known == OfMessage && FieldTable.NamesStrength(name) ? Strength : null);

    /// <summary>
    /// Clients send earlier responses back with all their fields, such as a refusal that is null or empty or no annotations.
    /// </summary>
    private static bool SaysNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        JsonValueKind.String => value.ValueEquals(""),
        _ => false,
    };

    /// <summary>A field of an object; null where it is absent or null.</summary>
    private static JsonElement? Value(JsonElement holder, string name) =>
        holder.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Role(JsonElement message, string field)
    {
        if (Value(message, "role") is not { } value) throw new InvalidRequestException(field, $"'{field}' is missing.");
        return FieldText.Of(value, field) switch
        {
            // OpenAI's newer name for the same role.
            "system" or "developer" => "system",
            "" => throw JsonFields.Wrong(field, "not empty"),
            // Which others there are is for the model's chat template to say.
            var role => role,
        };
    }

    private static string Content(JsonFields fields, JsonElement message, string field)
    {
        if (Value(message, "content") is not { } content) throw new InvalidRequestException(field, $"'{field}' is missing.");
        if (content.ValueKind != JsonValueKind.Array) return FieldText.Of(content, field);
        return string.Concat(content.EnumerateArray().Select((part, i) => Part(fields, part, $"{field}[{i}]")));
    }

    private static string Part(JsonFields fields, JsonElement part, string field)
    {
        if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
            throw JsonFields.Wrong(field, "an object with 'type'");
        if (!type.ValueEquals("text")) throw JsonFields.Wrong($"{field}.type", "'text': other parts do not work here");
        CheckNames(fields, part, OfPart, field, $"{Name}.content");
        return Value(part, "text") is { } text ? FieldText.Of(text, $"{field}.text")
            : throw new InvalidRequestException($"{field}.text", $"'{field}.text' is missing.");
    }
}
