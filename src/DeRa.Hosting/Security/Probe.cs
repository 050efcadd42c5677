namespace DeRa.Hosting.Security;

/// <summary>
/// Metadata of an endpoint that programs ask every few seconds for as long as the server runs. A request to it that succeeds is not
/// worth a line in the log.
/// </summary>
/// <param name="AnyHost">
/// Whether it responds under any host name: orchestrators and load balancers ask by address, or with HTTP/1.0 and no name at all.
/// </param>
public sealed record Probe(bool AnyHost)
{
    /// <summary>Says whether the server works, and nothing else.</summary>
    public static Probe Health { get; } = new(AnyHost: true);

    /// <summary>Says more than a stranger's page may read.</summary>
    public static Probe Scrape { get; } = new(AnyHost: false);
}
