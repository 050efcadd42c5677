namespace DeRa.Serving.Streaming;

/// <summary>A request took longer than it may; what still ran of it is cancelled.</summary>
/// <param name="deadline">How long it might take.</param>
public sealed class DeadlineExceededException(TimeSpan deadline)
    : Exception($"The request was not finished within its deadline of {deadline.TotalSeconds:0.###} s.");
