using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Server.Options;

/// <summary>How long steps, requests, slow clients and a stop may take.</summary>
internal sealed record TimeOptions
{
    [Description("Seconds for which a single step may keep the engine's heart from beating before /livez fails."), Range(1, 86400)]
    public int MaxStepSeconds { get; init; } = 300;

    [Description("Seconds that running requests may go on for after the server was told to stop."), Range(0, 86400)]
    public int DrainSeconds { get; init; } = 30;

    [Description("Seconds that a request may take, waiting included; one that takes longer is ended."), Range(1, 86400),
        Option(DefaultText = "as long as it takes")]
    public int? RequestTimeoutSeconds { get; init; }

    [Description("Seconds for which a client may take nothing of what is sent to it before it is disconnected."), Range(2, 86400)]
    public int SlowReaderSeconds { get; init; } = 60;
}
