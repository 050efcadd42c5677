namespace DeRa.Engine;

/// <summary>When things happened to a sequence, as timestamps of <see cref="GenerationEngine.Time"/>; null = not yet.</summary>
/// <param name="Submitted">It was put into the queue.</param>
/// <param name="Admitted">It left the queue to run; null for ever where it was cancelled there.</param>
/// <param name="FirstToken">Its first token was generated.</param>
/// <param name="Ended">It ended, in whatever way.</param>
public readonly record struct SequenceTimestamps(long Submitted, long? Admitted, long? FirstToken, long? Ended);
