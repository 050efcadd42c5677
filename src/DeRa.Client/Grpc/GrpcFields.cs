using System.Text.Json.Nodes;
using DeRa.Client.Alignment;
using DeRa.Protos.V1;
using Google.Protobuf;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using WireMessage = DeRa.Protos.V1.ChatMessage;

namespace DeRa.Client.Grpc;

/// <summary>Makes messages of requests. The options' fields have HTTP's names, so that HTTP's body is read as the message's JSON.</summary>
internal static class GrpcFields
{
    /// <summary>The options of a request.</summary>
    /// <exception cref="ArgumentException">A field that gRPC does not have, or of the wrong type; the message names it.</exception>
    public static GenerationOptions Options(ChatOptions? options)
    {
        var fields = RequestFields.Of(options);
        if (fields[FieldNames.Schedule] is { } schedule) fields[FieldNames.Schedule] = Schedule(schedule);
        try
        {
            return GenerationOptions.Parser.ParseJson(fields.ToJsonString());
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new ArgumentException($"ChatOptions.AdditionalProperties: {wrong.Message}", nameof(options), wrong);
        }
    }

    /// <summary>A conversation.</summary>
    public static Conversation Conversation(IEnumerable<ChatMessage> messages, ChatOptions? options) =>
        Conversation(Turn.Of(messages, options));

    /// <inheritdoc cref="Conversation(IEnumerable{ChatMessage}, ChatOptions?)"/>
    public static Conversation Conversation(IEnumerable<Turn> turns) => new() { Messages = { turns.Select(Message) } };

    private static WireMessage Message(Turn turn)
    {
        var message = new WireMessage { Content = turn.Content };
        if (turn.Role == ChatRole.System) message.Role = Role.System;
        else if (turn.Role == ChatRole.User) message.Role = Role.User;
        else if (turn.Role == ChatRole.Assistant) message.Role = Role.Assistant;
        else message.RoleName = turn.Role.Value;
        if (turn.Strength is { } strength) message.AlignmentStrength = strength;
        return message;
    }

    private static JsonObject Schedule(JsonNode schedule)
    {
        if (schedule is JsonArray points)
            return new JsonObject { ["points"] = new JsonObject { ["points"] = new JsonArray([.. points.Select(Point)]) } };
        var ramp = schedule.DeepClone().AsObject();
        if (ramp["shape"] is { } shape) ramp["shape"] = $"SCHEDULE_SHAPE_{shape.GetValue<string>().ToUpperInvariant()}";
        return new JsonObject { ["ramp"] = ramp };
    }

    private static JsonObject Point(JsonNode? point) => new()
    {
        ["from_token"] = point![0]!.DeepClone(),
        [FieldNames.Strength] = point[1]!.DeepClone(),
    };
}
