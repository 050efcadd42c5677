using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>What the gateway logs.</summary>
internal sealed class Lines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> All { get; } = new();

    public ILogger CreateLogger(string categoryName) =>
        categoryName.Split('.')[0] is "DeRa" or "Yarp" ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
        string> formatter) => All.Enqueue(formatter(state, exception));

    public void Dispose()
    {
    }
}
