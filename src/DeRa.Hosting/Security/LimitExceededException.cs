namespace DeRa.Hosting.Security;

/// <summary>A client has sent more requests than it may, in a minute or at once.</summary>
/// <param name="message">Which limit it is.</param>
/// <param name="retryAfterSeconds">When another try may succeed.</param>
public sealed class LimitExceededException(string message, int retryAfterSeconds) : Exception(message)
{
    /// <summary>When another try may succeed.</summary>
    public int RetryAfterSeconds { get; } = retryAfterSeconds;
}
