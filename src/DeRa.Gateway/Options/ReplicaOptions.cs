using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Gateway.Options;

/// <summary>Which replicas there are.</summary>
public sealed record ReplicaOptions
{
    /// <summary>Their addresses, commas between them.</summary>
    [Description("Addresses of replicas, commas between them: http://HOST:PORT, with +PORT where gRPC has a port of its own, such as "
        + "http://10.0.0.1:8080+8081. With https both are on the one port. Several may be given."),
        Option(Placeholder = "ADDRESSES", DefaultText = "none")]
    public IReadOnlyList<string> Replicas { get; init; } = [];

    /// <summary>Addresses whose host names stand for many.</summary>
    [Description("Address each of whose host name's addresses is a replica, as a headless service of Kubernetes has them: "
        + "http://NAME:PORT, with +PORT for gRPC. Asked again every --discovery-seconds. Several may be given."),
        Option(Placeholder = "ADDRESS", DefaultText = "none")]
    public IReadOnlyList<string> ReplicaDns { get; init; } = [];

    /// <summary>A file of addresses.</summary>
    [Description("File of replicas, an address a line as --replicas has them; # begins a comment. Read again when it changes."),
        Option(Placeholder = "FILE", DefaultText = "none")]
    public string? ReplicaFile { get; init; }

    /// <summary>Seconds between two questions for a name's addresses.</summary>
    [Description("Seconds between two look-ups of --replica-dns."), Range(1, 3600)]
    public int DiscoverySeconds { get; init; } = 5;

    /// <summary>Whose certificates replicas may have; null = those that the machine trusts.</summary>
    [Description("Certificates of the authorities that replicas' certificates must come from, PEM, in place of those that this machine "
        + "trusts. Read again when it changes. A replica by --replica-dns must have a certificate for that name."),
        Option(Placeholder = "FILE", DefaultText = "those that the machine trusts")]
    public string? ReplicaCa { get; init; }

    /// <summary>The key with which the gateway reads the replicas' metrics.</summary>
    [Description("API key with which the gateway itself reads the replicas' /metrics, where they need one. Requests keep their own."),
        Option(Placeholder = "KEY")]
    public Secret? ReplicaKey { get; init; }
}
