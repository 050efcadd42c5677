using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Connections;

/// <summary>Where a server listens.</summary>
public sealed record EndpointOptions
{
    /// <summary>An IP address, or localhost.</summary>
    [Description("Address to listen on: an IP address, or localhost. 0.0.0.0 lets other machines in."), Option(Placeholder = "ADDRESS")]
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port for HTTP.</summary>
    [Description("Port for HTTP; 0 = any free one."), Range(0, 65535)]
    public int HttpPort { get; init; } = 8080;

    /// <summary>Port for gRPC.</summary>
    [Description("Port for gRPC; 0 = any free one."), Range(0, 65535)]
    public int GrpcPort { get; init; } = 8081;

    /// <summary>The address that <see cref="Host"/> names.</summary>
    /// <exception cref="OptionException">It names none.</exception>
    public IPAddress Address => Host == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(Host, out var address) ? address
        : throw new OptionException($"--host is '{Host}'; it must be an IP address such as 127.0.0.1 or 0.0.0.0, or localhost.");

    /// <summary>Checks what the ranges do not say.</summary>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public void Check()
    {
        _ = Address;
        if (HttpPort == GrpcPort && HttpPort != 0)
            throw new OptionException($"--http-port and --grpc-port are both {HttpPort}; they must differ.");
    }
}
