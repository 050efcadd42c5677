using System.Diagnostics;
using System.Text.Encodings.Web;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace DeRa.Hosting.Telemetry;

/// <summary>Which lines are logged, and how they are written to standard output.</summary>
public static class ConsoleLog
{
    /// <summary>Sets it up.</summary>
    public static void AddConsoleLog(this ILoggingBuilder logging, TelemetryOptions options)
    {
        var level = LogLevels.Parse(options.LogLevel)!.Value;
        var foreign = level > LogLevel.Warning ? level : LogLevel.Warning;
        logging.SetMinimumLevel(level)
            .AddFilter("Microsoft", foreign)
            // It would put each request's path into the scope of every line, and a path may hold an id that gives a right.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            // What keeps the host from starting is reported in one line by the program itself.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddFilter("Grpc", foreign);
        // Without that category only a listener has spans made, whose ids are in the lines.
        ActivitySource.AddActivityListener(SpanIds);
        logging.Configure(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        logging.Services.TryAddSingleton(TimeProvider.System);
        // A reader of the output that hangs must not hang requests: what it does not take is dropped, and counted.
        logging.AddConsole(console =>
        {
            console.FormatterName = options.LogsJson ? ConsoleFormatterNames.Json : TextLines.FormatName;
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
        if (options.LogsJson) logging.AddJsonConsole(WriteJson);
        else logging.AddConsoleFormatter<TextLines, ConsoleFormatterOptions>(
            // Of use only where traces go somewhere.
            lines => lines.IncludeScopes = options.Exports);
    }

    private static readonly ActivityListener SpanIds = new()
    {
        ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
    };

    private static void WriteJson(JsonConsoleFormatterOptions lines)
    {
        (lines.IncludeScopes, lines.UseUtcTimestamp, lines.TimestampFormat) = (true, true, "O");
        // Nobody puts log lines into a page: quotes and letters stay as they are.
        lines.JsonWriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    }
}
