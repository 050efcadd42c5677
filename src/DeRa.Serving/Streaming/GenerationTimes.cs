using DeRa.Engine;

namespace DeRa.Serving.Streaming;

/// <summary>
/// How long the phases of a request took, over all its sequences together. A phase is null while it has not ended, and for
/// ever where it was never reached.
/// </summary>
/// <param name="Queue">From submission until the first sequence ran.</param>
/// <param name="Prefill">From there until the first token.</param>
/// <param name="Decode">From there until the last sequence had ended.</param>
public readonly record struct GenerationTimes(TimeSpan? Queue, TimeSpan? Prefill, TimeSpan? Decode)
{
    internal static GenerationTimes Of(IReadOnlyList<GenerationHandle> handles, TimeProvider time)
    {
        var submitted = handles[0].Timestamps.Submitted;
        var admitted = handles.Min(handle => handle.Timestamps.Admitted);
        var first = handles.Min(handle => handle.Timestamps.FirstToken);
        var ended = handles.All(handle => handle.Timestamps.Ended is not null) ? handles.Max(handle => handle.Timestamps.Ended) : null;
        return new GenerationTimes(Between(submitted, admitted), Between(admitted, first ?? ended), Between(first, ended));

        TimeSpan? Between(long? from, long? to) => from is { } a && to is { } b ? time.GetElapsedTime(a, b) : null;
    }
}
