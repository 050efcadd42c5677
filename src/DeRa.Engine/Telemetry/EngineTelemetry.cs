using System.Diagnostics;

namespace DeRa.Engine.Telemetry;

/// <summary>The names under which telemetry comes out.</summary>
public static class EngineTelemetry
{
    /// <summary>Name of the engine's meter and of the activity source of requests.</summary>
    public const string Name = "DeRa.Engine";

    /// <summary>Starts spans for requests. Stateless: it only hands activities to whoever listens.</summary>
    public static ActivitySource Source { get; } = new(Name);
}
