using System.Net;
using DeRa.Hosting.Connections;
using Microsoft.Extensions.Primitives;

namespace DeRa.Hosting.Security;

/// <summary>
/// Refuses requests under host names that are not this server's. A page in a browser can reach a server on loopback under a name of its
/// own that it lets point there (DNS rebinding), and would then count as the same origin. What orchestrators probe is
/// exempt: they ask by address.
/// </summary>
internal sealed class HostNameFilter(RequestDelegate next, OriginOptions options, EndpointOptions endpoint)
{
    private readonly List<StringSegment> _hosts = [.. Names(options, endpoint)];

    /// <summary>Whether these options keep names out.</summary>
    public static bool IsNeeded(OriginOptions options, EndpointOptions endpoint) => Names(options, endpoint).Any();

    /// <summary>Runs the request.</summary>
    /// <exception cref="HostRefusedException">The name is another.</exception>
    public Task InvokeAsync(HttpContext context)
    {
        var host = context.Request.Host.Value;
        var isOurs = context.GetEndpoint()?.Metadata.GetMetadata<Probe>() is { AnyHost: true }
            || (!string.IsNullOrEmpty(host) && HostString.MatchesAny(host, _hosts));
        return isOurs ? next(context) : throw new HostRefusedException();
    }

    private static IEnumerable<StringSegment> Names(OriginOptions options, EndpointOptions endpoint)
    {
        foreach (var host in options.AllowedHosts) yield return host;
        var address = endpoint.Address;
        if (!IPAddress.IsLoopback(address)) yield break;
        foreach (var host in (string[])["localhost", "127.0.0.1", "[::1]", Written(address)]) yield return host;
    }

    private static string Written(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
