using System.Net;
using DeRa.Hosting.Security;
using DeRa.Server.Options;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace DeRa.Server.Composition;

/// <summary>The addresses that the server listens on, once it does.</summary>
internal sealed class ServerAddresses(IServer server, ServerOptions options, ApiKeys keys)
{
    /// <summary>Where HTTP is served.</summary>
    public Uri Http => new(All.First());

    /// <summary>Where gRPC is served: in the order in which they were opened, HTTP's comes first.</summary>
    public Uri Grpc => new(All.Last());

    /// <summary>Where HTTP is served, as a client on this machine writes it.</summary>
    public Uri Local => new UriBuilder(Http) { Host = LocalHost }.Uri;

    /// <summary>A command for a shell that asks this server for a completion.</summary>
    public string Example => $"curl {Local}v1/completions -H 'content-type: application/json' "
        + (keys.AreRequired ? "-H \"authorization: Bearer $KEY\" " : "")
        + """-d '{"prompt": "Once upon a time", "max_tokens": 40, "alignment_strength": 0.5}'""";

    private ICollection<string> All => server.Features.Get<IServerAddressesFeature>()!.Addresses;

    private string LocalHost
    {
        get
        {
            var address = options.Endpoint.Address;
            if (address.Equals(IPAddress.Loopback)) return "localhost";
            if (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) return Http.Host;
            // Where names are listed, requests under others are refused.
            return options.Origin.AllowedHosts.FirstOrDefault(host => !host.Contains('*', StringComparison.Ordinal)) ?? "localhost";
        }
    }
}
