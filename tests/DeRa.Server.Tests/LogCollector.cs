using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DeRa.Server.Tests;

/// <summary>Keeps every line that is logged.</summary>
internal sealed class LogCollector : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Those of them that are errors or worse.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Lines.Enqueue(formatter(state, exception) + exception);
        if (logLevel >= LogLevel.Error) Errors.Enqueue(formatter(state, exception) + exception);
    }

    public void Dispose()
    {
    }
}
