namespace DeRa.Server.Errors;

/// <summary>A request that HTTP itself refuses, before any field of it is looked at.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong and what is allowed.</param>
internal sealed class HttpRefusal(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;
}
