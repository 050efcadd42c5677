using System.Collections;
using System.ComponentModel;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Telemetry;

/// <summary>What is logged and traced, and where it goes.</summary>
public sealed record TelemetryOptions
{
    private const string TextLog = "text";
    private const string JsonLog = "json";

    /// <summary>Form of log lines.</summary>
    [Description("Form of log lines: text or json."), Option(Placeholder = "FORM")]
    public string LogFormat { get; init; } = TextLog;

    /// <summary>The lowest level that is logged.</summary>
    [Description($"Log lines from which level on: {LogLevels.Allowed}. Of the web framework's own only warnings and errors: others may "
        + "hold what clients send."), Option(Placeholder = "LEVEL")]
    public string LogLevel { get; init; } = "info";

    /// <summary>Whether each request is a log line.</summary>
    [Description("Whether each request is a log line, without its content; probes and scrapes that go well are one at the level debug "
        + "only.")]
    public bool LogRequests { get; init; } = true;

    /// <summary>Whether texts go onto traces.</summary>
    [Description("Puts the text of prompts and answers on traces.")]
    public bool CaptureContent { get; init; }

    /// <summary>The standard variables of OpenTelemetry (<c>OTEL_…</c>), which say where telemetry goes; empty = nowhere.</summary>
    public IReadOnlyDictionary<string, string?> OpenTelemetry { get; init; } = new Dictionary<string, string?>();

    /// <summary>Whether log lines are JSON.</summary>
    public bool LogsJson => LogFormat == JsonLog;

    /// <summary>Whether any of the variables names an endpoint: OTEL_EXPORTER_OTLP_ENDPOINT or one of those for a single signal.</summary>
    public bool Exports => OpenTelemetry.Any(variable =>
        variable.Key.StartsWith("OTEL_EXPORTER_OTLP_", StringComparison.Ordinal)
        && variable.Key.EndsWith("ENDPOINT", StringComparison.Ordinal) && variable.Value?.Length > 0);

    /// <summary>The variables that OpenTelemetry's own specification names; they say where telemetry goes and nothing else.</summary>
    public static IReadOnlyDictionary<string, string?> StandardVariables(IDictionary environment) => environment.Keys.Cast<string>()
        .Where(name => name.StartsWith("OTEL_", StringComparison.Ordinal)).ToDictionary(name => name, name => (string?)environment[name]);

    /// <summary>Checks the names of the form and of the level.</summary>
    /// <exception cref="OptionException">The first thing that is wrong.</exception>
    public void Check()
    {
        if (LogFormat is not (TextLog or JsonLog))
            throw new OptionException($"--log-format is '{LogFormat}'; it must be {TextLog} or {JsonLog}.");
        if (LogLevels.Parse(LogLevel) is null)
            throw new OptionException($"--log-level is '{LogLevel}'; it must be {LogLevels.Allowed}.");
    }
}
