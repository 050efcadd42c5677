using System.ComponentModel;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;

namespace DeRa.Gateway.Options;

/// <summary>All that can be set at start: read once (<see cref="OptionReader"/>), never changed. <c>--help</c> lists it in this order.</summary>
public sealed record GatewayOptions
{
    /// <summary>Which replicas there are.</summary>
    public ReplicaOptions Replica { get; init; } = new();

    /// <summary>Where the gateway listens.</summary>
    public EndpointOptions Endpoint { get; init; } = new();

    /// <summary>Which replica gets a request.</summary>
    public BalancingOptions Balancing { get; init; } = new();

    /// <summary>When a replica gets requests.</summary>
    public HealthOptions Health { get; init; } = new();

    /// <summary>How requests are passed on.</summary>
    public ForwardingOptions Forwarding { get; init; } = new();

    /// <summary>How many connections, and what may arrive on them.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>API keys and their limits, where the gateway checks them.</summary>
    public ApiKeyOptions Key { get; init; } = new();

    /// <summary>The certificate.</summary>
    public TlsOptions Tls { get; init; } = new();

    /// <summary>Web pages and host names.</summary>
    public OriginOptions Origin { get; init; } = new();

    /// <summary>Logs and traces.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>A file with options.</summary>
    [Description("JSON file with options, by the names in this list."), Option(Placeholder = "FILE", DefaultText = "none")]
    public string? Config { get; init; }
}
