using System.Runtime.InteropServices;
using System.Text.Json;

namespace DeRa.Gateway.Keys;

/// <summary>Reads the key of a request over HTTP off its body. What is no such request, or is wrong, has none: its replica says so.</summary>
public static class JsonRoutingKey
{
    private static readonly JsonDocumentOptions s_format = new() { MaxDepth = 1024 };

    /// <summary>The key; null = there is no prompt in it.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="prefixBytes">Bytes of the prompt that count.</param>
    public static ulong? Read(ReadOnlyMemory<byte> body, int prefixBytes)
    {
        try
        {
            using var document = JsonDocument.Parse(body, s_format);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement, new RoutingKey(prefixBytes)) : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // An InvalidOperationException is text that is not Unicode.
            return null;
        }
    }

    private static ulong? Read(JsonElement request, RoutingKey key)
    {
        (key.Model, key.Salt) = (Text(request, "model"), Text(request, "cache_salt"));
        AddPrompt(request, key);
        return key.HasPrefix ? key.Hash() : null;
    }

    private static void AddPrompt(JsonElement request, RoutingKey key)
    {
        if (request.TryGetProperty("messages", out var messages)) AddMessages(messages, key);
        else if (request.TryGetProperty("prompt", out var prompt)) AddText(prompt, key);
        // Of many texts to score all go to one replica: the first says which.
        else if (request.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array && items.GetArrayLength() > 0
            && items[0].ValueKind == JsonValueKind.Object) AddPrompt(items[0], key);
    }

    private static void AddMessages(JsonElement messages, RoutingKey key)
    {
        if (messages.ValueKind != JsonValueKind.Array) return;
        var start = new ConversationStart(key);
        foreach (var message in messages.EnumerateArray())
        {
            if (start.IsComplete) return;
            if (message.ValueKind != JsonValueKind.Object) continue;
            start.Add(Text(message, "role"));
            if (message.TryGetProperty("content", out var content)) AddText(content, key);
            start.End();
        }
    }

    /// <summary>A string by its text, the same however it is escaped; of several texts the first; anything else as it is written.</summary>
    private static void AddText(JsonElement text, RoutingKey key)
    {
        if (text.ValueKind == JsonValueKind.Array && text.GetArrayLength() > 0 && text[0].ValueKind == JsonValueKind.String) text = text[0];
        if (text.ValueKind == JsonValueKind.String) key.Add(text.GetString());
        else key.Add(JsonMarshal.GetRawUtf8Value(text));
    }

    private static string Text(JsonElement request, string name) =>
        request.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
