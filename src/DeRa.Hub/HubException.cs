namespace DeRa.Hub;

/// <summary>A model cannot be had. The message names the model, the file or the variable, and what to do.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="innerException">What was caught, where something was.</param>
public sealed class HubException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Whether the same request may work a little later: the network or the server is at fault.</summary>
    internal bool MayPass { get; init; }

    /// <summary>How long the server asks to wait; null where it does not say.</summary>
    internal TimeSpan? RetryAfter { get; init; }
}
