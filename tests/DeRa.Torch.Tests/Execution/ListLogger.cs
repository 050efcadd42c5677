using Microsoft.Extensions.Logging;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Keeps what is logged: the level, a colon, the message; of what is only information the message alone.</summary>
internal sealed class ListLogger : ILogger
{
    public List<string> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add((logLevel == LogLevel.Information ? "" : $"{logLevel}: ") + formatter(state, exception));
}
