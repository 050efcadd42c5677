using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DeRa.Server.Tests;

/// <summary>Keeps every line that is logged.</summary>
internal sealed class LogCollector : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The same lines with their levels and fields.</summary>
    public ConcurrentQueue<Entry> Entries { get; } = new();
    /// <summary>Those of them that are errors or worse.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
        string> formatter)
    {
        var text = formatter(state, exception);
        Lines.Enqueue(text + exception);
        var fields = state as IEnumerable<KeyValuePair<string, object?>> ?? [];
        Entries.Enqueue(new Entry(logLevel, eventId.Name, text, fields.ToDictionary(field => field.Key, field => field.Value)));
        if (logLevel >= LogLevel.Error) Errors.Enqueue(text + exception);
    }

    public void Dispose()
    {
    }

    internal sealed record Entry(LogLevel Level, string? Event, string Text, IReadOnlyDictionary<string, object?> Fields);
}
