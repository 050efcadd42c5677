using System.Diagnostics;

namespace DeRa.Engine.Telemetry;

/// <summary>The names under which telemetry comes out.</summary>
public static class EngineTelemetry
{
    /// <summary>Name of the meters and of the activity source.</summary>
    public const string Name = "DeRa.Engine";

    /// <summary>
    /// What the names that routers and autoscalers read begin with. They have a colon there, which instruments must not have:
    /// whoever writes them for Prometheus puts it in.
    /// </summary>
    public const string RouterPrefix = "vllm.";

    /// <summary>Starts spans for the phases of requests. Stateless: it only hands activities to whoever listens.</summary>
    public static ActivitySource Source { get; } = new(Name);
}
