namespace DeRa.Server;

/// <summary>
/// Every message that the server logs, but for the line of a request, which telemetry writes. Prompts and generated text are in none.
/// </summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information, "{Transport} on {Address}")]
    public static partial void Listening(ILogger log, string transport, Uri address);

    [LoggerMessage(2, LogLevel.Information, "Serving '{Model}'; loaded in {Seconds:0.0} s.")]
    public static partial void Serving(ILogger log, string model, double seconds);

    [LoggerMessage(11, LogLevel.Information, "ready: {Address} (its documentation is there too); try: {Example}")]
    public static partial void Ready(ILogger log, Uri address, string example);

    [LoggerMessage(3, LogLevel.Information, "Stopped before the models were loaded.")]
    public static partial void LoadCancelled(ILogger log);

    [LoggerMessage(4, LogLevel.Debug, "Loading failed:")]
    public static partial void LoadFailed(ILogger log, Exception fault);

    [LoggerMessage(5, LogLevel.Warning, "Ending the requests that still run.")]
    public static partial void DrainEndedEarly(ILogger log);

    [LoggerMessage(6, LogLevel.Error, "Request {RequestId} failed.")]
    public static partial void RequestFailed(ILogger log, string requestId, Exception fault);

    [LoggerMessage(7, LogLevel.Information, "Loading the default pair '{Model}', which comes with the server; "
        + "--reference MODEL --aligned MODEL serves one of your own.")]
    public static partial void LoadingDefaultPair(ILogger log, string model);

    [LoggerMessage(12, LogLevel.Information, "Loading '{Model}': reference {Reference}, aligned {Aligned}.")]
    public static partial void LoadingPair(ILogger log, string model, string reference, string aligned);

    [LoggerMessage(9, LogLevel.Information, "Stopping: running requests have {Seconds} s to finish; Ctrl+C ends them at once.")]
    public static partial void Draining(ILogger log, int seconds);

    [LoggerMessage(10, LogLevel.Error, "The engine hangs: its last step has not ended after {Seconds} s. Exiting without it.")]
    public static partial void EngineHangs(ILogger log, double seconds);

    [LoggerMessage(24, LogLevel.Critical, "A background service has failed; the server ends.")]
    public static partial void ServiceFailed(ILogger log, Exception fault);

    [LoggerMessage(25, LogLevel.Warning,
        "--max-connections is {Asked}, but only {Connections} connections are accepted at once: this process "
        + "may have {Files} open files (ulimit -n), {Reserved} of which are reserved for other uses.")]
    public static partial void ConnectionsLimited(ILogger log, int asked, int connections, long files, int reserved);

    [LoggerMessage(8, LogLevel.Warning, "Request {RequestId}: the client has read nothing for {Seconds} s and is disconnected.")]
    public static partial void SlowReader(ILogger log, string requestId, int seconds);

    [LoggerMessage(26, LogLevel.Warning, "Reward '{Reward}' has no score for a choice: {Error}")]
    public static partial void RewardFailed(ILogger log, string reward, string error);

    [LoggerMessage(27, LogLevel.Information, "Reward '{Reward}' writes: {Line}")]
    public static partial void RewardErrorLine(ILogger log, string reward, string line);
}
