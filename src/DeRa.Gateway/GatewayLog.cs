namespace DeRa.Gateway;

/// <summary>Every message that the gateway logs, but for the line of a request.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(1, LogLevel.Information, "{Transport} on {Address}")]
    public static partial void Listening(ILogger log, string transport, string address);

    [LoggerMessage(2, LogLevel.Information, "Replica {Replica} is ready.")]
    public static partial void ReplicaReady(ILogger log, string replica);

    [LoggerMessage(3, LogLevel.Warning, "Replica {Replica} gets no requests: {Reason}")]
    public static partial void ReplicaUnready(ILogger log, string replica, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Replica {Replica} is ejected: {Reason}")]
    public static partial void ReplicaEjected(ILogger log, string replica, string reason);

    [LoggerMessage(5, LogLevel.Information, "Replica {Replica} is there.")]
    public static partial void ReplicaAdded(ILogger log, string replica);

    [LoggerMessage(6, LogLevel.Information, "Replica {Replica} is gone.")]
    public static partial void ReplicaRemoved(ILogger log, string replica);

    [LoggerMessage(7, LogLevel.Warning, "The addresses of {Name} cannot be had; those from before stay: {Fault}")]
    public static partial void LookupFailed(ILogger log, string name, string fault);

    [LoggerMessage(8, LogLevel.Error, "Request {RequestId} failed.")]
    public static partial void RequestFailed(ILogger log, string requestId, Exception fault);

    [LoggerMessage(9, LogLevel.Information, "Stopping: running requests have {Seconds} s to finish.")]
    public static partial void Draining(ILogger log, int seconds);

    [LoggerMessage(10, LogLevel.Warning, "Ending the requests that still run.")]
    public static partial void DrainEndedEarly(ILogger log);

    [LoggerMessage(11, LogLevel.Warning, "Request {RequestId}: {Replica} failed before its response began ({Reason}); trying another one.")]
    public static partial void TriedAgain(ILogger log, string requestId, string replica, string reason);
}
