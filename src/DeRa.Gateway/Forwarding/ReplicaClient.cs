using System.Diagnostics;
using System.Net;
using System.Text;
using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using Yarp.ReverseProxy.Forwarder;

namespace DeRa.Gateway.Forwarding;

/// <summary>The connections to replicas, shared by all requests.</summary>
/// <param name="options">How long things may take.</param>
/// <param name="trust">Whose certificates they may have.</param>
internal sealed class ReplicaClient(ForwardingOptions options, ReplicaTrust trust) : IDisposable
{
    /// <summary>Sends requests.</summary>
    public HttpMessageInvoker Http { get; } = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        // A replica allows about a hundred calls on one connection.
        EnableMultipleHttp2Connections = true,
        // As clients' own headers are read; anything but ASCII would otherwise be refused here.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        SslOptions = trust.Handshake(),
        ConnectTimeout = TimeSpan.FromSeconds(options.ConnectSeconds),
        ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
    });

    /// <summary>How requests over HTTP are sent.</summary>
    public ForwarderRequestConfig OverHttp { get; } = Config(options, HttpVersion.Version11);

    /// <summary>How calls of gRPC are sent.</summary>
    public ForwarderRequestConfig OverGrpc { get; } = Config(options, HttpVersion.Version20);

    /// <inheritdoc/>
    public void Dispose() => Http.Dispose();

    private static ForwarderRequestConfig Config(ForwardingOptions options, Version version) => new()
    {
        // Replicas that are silent end by an IdleLimit; this is for clients that take nothing, and must not come first.
        ActivityTimeout = 2 * TimeSpan.FromSeconds(options.IdleSeconds),
        Version = version,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        // Each event goes out as it comes.
        AllowResponseBuffering = false,
    };
}
