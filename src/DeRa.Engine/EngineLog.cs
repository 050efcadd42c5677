using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>Every message that the engine logs.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Critical, "The engine has stopped after a fault in its own loop; restart the server.")]
    public static partial void Faulted(ILogger log, Exception fault);

    [LoggerMessage(2, LogLevel.Error, "A step of {Rows} rows failed; its rows are run one by one.")]
    public static partial void StepFailed(ILogger log, int rows, Exception fault);
}
