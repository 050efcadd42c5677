namespace DeRa.Engine.Admission;

/// <summary>Why the engine did not take a request. Each transport maps each reason once.</summary>
public enum AdmissionReason
{
    /// <summary>As many requests or tokens wait as may wait.</summary>
    QueueFull,

    /// <summary>The queue could not take it even if it were empty: sending it again does not help.</summary>
    NeverFits,

    /// <summary>The server is shutting down.</summary>
    Draining,

    /// <summary>The engine has stopped after a fault.</summary>
    Stopped,
}

/// <summary>A request that was refused at submission: nothing of it was taken. It may be sent again later or elsewhere.</summary>
/// <param name="reason">Why.</param>
/// <param name="message">The same in words.</param>
public sealed class AdmissionException(AdmissionReason reason, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public AdmissionReason Reason { get; } = reason;
}
