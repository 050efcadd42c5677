namespace DeRa.Hosting.Security;

/// <summary>A request without a key, or with a wrong one.</summary>
/// <param name="wasPresented">Whether there was one.</param>
public sealed class KeyRefusedException(bool wasPresented) : Exception(wasPresented
    ? "The API key is not one of this server's."
    : "An API key is needed: send it in the header 'Authorization: Bearer KEY'.");

/// <summary>A request under a host name that is not this server's.</summary>
public sealed class HostRefusedException() : Exception(
    "This server does not answer under the host name of the request; --allowed-hosts adds names.");

/// <summary>A client has sent more requests than it may, in a minute or at once.</summary>
/// <param name="message">Which limit it is.</param>
/// <param name="retryAfterSeconds">When another try may succeed.</param>
public sealed class LimitExceededException(string message, int retryAfterSeconds) : Exception(message)
{
    /// <summary>When another try may succeed.</summary>
    public int RetryAfterSeconds { get; } = retryAfterSeconds;
}
