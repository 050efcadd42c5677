namespace DeRa.Hosting.Telemetry;

/// <summary>The values of <c>--log-level</c>: OpenTelemetry's names, and .NET's where they differ.</summary>
public static class LogLevels
{
    /// <summary>The names, from the one that logs most to the one that logs nothing.</summary>
    public const string Allowed = "trace, debug, info, warn, error, fatal or none";

    /// <summary>Reads a level; upper and lower case are the same. Null = it is none.</summary>
    public static LogLevel? Parse(string text) => text.ToLowerInvariant() switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" or "information" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "fatal" or "critical" => LogLevel.Critical,
        "none" or "off" => LogLevel.None,
        _ => null,
    };

    /// <summary>A level's name in log lines.</summary>
    public static string Format(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
