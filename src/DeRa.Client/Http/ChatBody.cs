using System.Text.Json.Nodes;
using DeRa.Client.Alignment;
using Microsoft.Extensions.AI;

namespace DeRa.Client.Http;

/// <summary>Makes the bodies of requests.</summary>
internal static class ChatBody
{
    /// <summary>A body of <c>chat/completions</c>.</summary>
    public static JsonObject Of(IEnumerable<ChatMessage> messages, ChatOptions? options, string? model, bool stream)
    {
        var body = RequestFields.Of(options);
        if ((options?.ModelId ?? model) is { } name) body["model"] = name;
        body["messages"] = Messages(Turn.Of(messages, options));
        if (!stream) return body;
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        return body;
    }

    /// <summary>A list of messages.</summary>
    public static JsonArray Messages(IEnumerable<Turn> turns) => new([.. turns.Select(Message)]);

    private static JsonObject Message(Turn turn)
    {
        var message = new JsonObject { ["role"] = turn.Role.Value, ["content"] = turn.Content };
        if (turn.Strength is { } strength) message[FieldNames.Strength] = strength;
        return message;
    }
}
