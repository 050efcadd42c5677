using System.Buffers.Binary;
using DeRa.Protos.V1;
using Google.Protobuf;

namespace DeRa.Gateway.Keys;

/// <summary>
/// Reads the key of a call off its first message: the bytes alone will not do, as the strength is among them. The same text has the same
/// key over HTTP.
/// </summary>
public static class GrpcRoutingKey
{
    private const string Service = "/dera.v1.InferenceService/";

    /// <summary>The key; null = there is no prompt in it.</summary>
    /// <param name="path">The call's path.</param>
    /// <param name="message">The first message, not compressed.</param>
    /// <param name="prefixBytes">Bytes of the prompt that count.</param>
    public static ulong? Read(string path, ReadOnlySpan<byte> message, int prefixBytes)
    {
        if (!path.StartsWith(Service, StringComparison.Ordinal)) return null;
        var key = new RoutingKey(prefixBytes);
        try
        {
            Add(path[Service.Length..], message, key);
        }
        catch (InvalidProtocolBufferException)
        {
            // The replica says so.
            return null;
        }
        return key.HasPrefix ? key.Hash() : null;
    }

    private static void Add(string method, ReadOnlySpan<byte> message, RoutingKey key)
    {
        switch (method)
        {
            case "Generate":
                var generate = GenerateRequest.Parser.ParseFrom(message);
                Add(key, generate.Model, generate.Options, generate.Prompt);
                break;
            case "GenerateStream":
                var stream = GenerateStreamRequest.Parser.ParseFrom(message);
                Add(key, stream.Model, stream.Options, stream.Prompt);
                break;
            case "Chat":
                var chat = ChatRequest.Parser.ParseFrom(message);
                Add(key, chat.Model, chat.Options, chat.Conversation);
                break;
            case "ChatStream":
                var chatStream = ChatStreamRequest.Parser.ParseFrom(message);
                Add(key, chatStream.Model, chatStream.Options, chatStream.Conversation);
                break;
            case "Converse" when ConverseRequest.Parser.ParseFrom(message).Start is { } start:
                Add(key, start.Model, start.Options, start.Prompt);
                break;
            case "Score":
                AddScore(ScoreRequest.Parser.ParseFrom(message), key);
                break;
            case "Tokenize":
                var tokenize = TokenizeRequest.Parser.ParseFrom(message);
                Add(key, tokenize.Model, null, tokenize.Prompt);
                break;
        }
    }

    private static void AddScore(ScoreRequest request, RoutingKey key)
    {
        (key.Model, key.Salt) = (request.Model, request.CacheSalt);
        if (request.Items.Count > 0) Add(key, request.Items[0].Prompt);
    }

    private static void Add(RoutingKey key, string model, GenerationOptions? options, Prompt? prompt)
    {
        (key.Model, key.Salt) = (model, options?.CacheSalt ?? "");
        Add(key, prompt);
    }

    private static void Add(RoutingKey key, string model, GenerationOptions? options, Conversation? conversation)
    {
        (key.Model, key.Salt) = (model, options?.CacheSalt ?? "");
        Add(key, conversation);
    }

    private static void Add(RoutingKey key, Prompt? prompt)
    {
        if (prompt?.Messages is { } conversation) Add(key, conversation);
        else if (prompt?.TokenIds is { } tokens) AddTokens(key, tokens);
        else key.Add(prompt?.Text ?? "");
    }

    private static void Add(RoutingKey key, Conversation? conversation)
    {
        var start = new ConversationStart(key);
        foreach (var message in conversation?.Messages ?? [])
        {
            if (start.IsComplete) return;
            start.Add(Role(message));
            key.Add(message.Content);
            start.End();
        }
    }

    private static void AddTokens(RoutingKey key, TokenIds tokens)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        foreach (var id in tokens.Ids)
        {
            if (key.IsFull) return;
            BinaryPrimitives.WriteInt32LittleEndian(bytes, id);
            key.Add(bytes);
        }
    }

    private static string Role(ChatMessage message) => message.Role switch
    {
        Protos.V1.Role.System => "system",
        Protos.V1.Role.User => "user",
        Protos.V1.Role.Assistant => "assistant",
        _ => message.RoleName,
    };
}
