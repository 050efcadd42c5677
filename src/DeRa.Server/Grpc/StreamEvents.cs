using DeRa.Protos.V1;

namespace DeRa.Server.Grpc;

/// <summary>How the messages of one method's stream carry its events.</summary>
/// <param name="Started">The event that begins the stream.</param>
/// <param name="Delta">A piece of a choice.</param>
/// <param name="Finished">A choice's end.</param>
/// <param name="Changed">Other strengths.</param>
internal sealed record StreamEvents<T>(
    Func<Started, T> Started, Func<Delta, T> Delta, Func<Finished, T> Finished, Func<StrengthChanged, T> Changed);

/// <summary>The forms of the service's streams.</summary>
internal static class StreamEvents
{
    /// <summary>That of <c>GenerateStream</c>.</summary>
    public static StreamEvents<GenerateStreamResponse> Generate { get; } = new(
        started => new() { Started = started }, delta => new() { Delta = delta }, finished => new() { Finished = finished },
        changed => new() { Changed = changed });

    /// <summary>That of <c>ChatStream</c>.</summary>
    public static StreamEvents<ChatStreamResponse> Chat { get; } = new(
        started => new() { Started = started }, delta => new() { Delta = delta }, finished => new() { Finished = finished },
        changed => new() { Changed = changed });

    /// <summary>That of <c>Converse</c>.</summary>
    public static StreamEvents<ConverseResponse> Converse { get; } = new(
        started => new() { Started = started }, delta => new() { Delta = delta }, finished => new() { Finished = finished },
        changed => new() { Changed = changed });
}
