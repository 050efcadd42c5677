namespace DeRa.Hosting.Security;

/// <summary>A key that opens the server. The key itself is kept nowhere.</summary>
/// <param name="Name">Whose it is; may be logged.</param>
/// <param name="Hash">The key's hash (<see cref="KeyHash.Of"/>).</param>
public sealed record ApiKey(string Name, byte[] Hash)
{
    /// <summary>Generating requests a minute; null = as the options say.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Generating requests at once; null = as the options say.</summary>
    public int? ConcurrentRequests { get; init; }
}
