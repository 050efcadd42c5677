using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeRa.Gateway.Options;

/// <summary>When a replica gets requests.</summary>
public sealed record HealthOptions
{
    /// <summary>Seconds between two looks at a replica.</summary>
    [Description("Seconds between two looks at a replica's /readyz and /metrics."), Range(.05, 3600)]
    public double HealthSeconds { get; init; } = 2;

    /// <summary>Seconds that a look may take.</summary>
    [Description("Seconds that a replica may take over /readyz before it counts as not ready."), Range(.05, 3600)]
    public double HealthTimeoutSeconds { get; init; } = 5;

    /// <summary>Failures in a row that eject a replica.</summary>
    [Description("Responses 500, 502 or 504, or streams that break off, in a row after which a replica is ejected; a connection that fails "
        + "ejects it at once."), Range(1, 1000)]
    public int EjectAfter { get; init; } = 5;

    /// <summary>Seconds for which it is ejected.</summary>
    [Description("Seconds for which an ejected replica gets nothing; after that, from its next good /readyz on, it is back."),
        Range(0.0, 3600)]
    public double EjectSeconds { get; init; } = 5;

    /// <summary>Seconds in which it comes to its full load.</summary>
    [Description("Seconds in which the load of a replica that has become ready rises from a tenth to its full part."), Range(0.0, 3600)]
    public double SlowStartSeconds { get; init; } = 10;
}
