namespace DeRa.Engine.Requests;

/// <summary>A sequence failed through no fault of its request: a model threw, its logits were not finite, or the engine stopped.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">The exception behind it, where there is one.</param>
public sealed class GenerationFailedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it failed because the engine has stopped: the same request may succeed elsewhere, or later.</summary>
    public bool IsStopped { get; init; }
}
