using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace DeRa.Hosting.Telemetry;

/// <summary>Log lines for people: time, level, message; the category too where it is not one of ours.</summary>
internal sealed class TextLines(IOptionsMonitor<ConsoleFormatterOptions> options, TimeProvider time) : ConsoleFormatter(FormatName)
{
    /// <summary>The name under which it is chosen.</summary>
    public const string FormatName = "dera-text";

    /// <summary>A fault's lines are indented, so that none of them looks like a line of the log.</summary>
    private const string Indent = "\n    ";

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        textWriter.Write($" {LogLevels.Format(logEntry.LogLevel),-5} ");
        if (!logEntry.Category.StartsWith("DeRa.", StringComparison.Ordinal)) textWriter.Write($"{logEntry.Category}: ");
        textWriter.Write(PrintableText.Of(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        if (options.CurrentValue.IncludeScopes) scopeProvider?.ForEachScope(WriteIds, textWriter);
        if (logEntry.Exception is { } fault)
            foreach (var line in fault.ToString().ReplaceLineEndings("\n").Split('\n')) textWriter.Write(Indent + PrintableText.Of(line));
        textWriter.Write('\n');
    }

    /// <summary>The ids of the trace and the span that a line belongs to.</summary>
    private static void WriteIds(object? scope, TextWriter writer)
    {
        if (scope is not IEnumerable<KeyValuePair<string, object?>> fields) return;
        foreach (var (name, value) in fields)
            if (name is "TraceId" or "SpanId") writer.Write($" {name}={value}");
    }
}
