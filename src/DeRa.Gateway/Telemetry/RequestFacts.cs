namespace DeRa.Gateway.Telemetry;

/// <summary>What is reported of one request. One thread at a time.</summary>
/// <param name="time">The clock.</param>
public sealed class RequestFacts(TimeProvider time)
{
    private readonly long _arrived = time.GetTimestamp();

    /// <summary>The facts of a request.</summary>
    public static RequestFacts Of(HttpContext context) => context.Features.Get<RequestFacts>()!;

    /// <summary>The replica that it went to last; null = none.</summary>
    public string? Replica { get; set; }

    /// <summary>How many replicas it was tried at.</summary>
    public int Attempts { get; set; }

    /// <summary>Time from its arrival until its response began; null = it has not.</summary>
    public TimeSpan? FirstByte { get; private set; }

    /// <summary>The kind of what went wrong; null = nothing.</summary>
    public string? Error { get; private set; }

    /// <summary>The id that the client got for it.</summary>
    public string? Id { get; set; }

    /// <summary>Time since it arrived.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_arrived);

    /// <summary>Its response begins.</summary>
    public void Begin() => FirstByte ??= Elapsed;

    /// <summary>It failed; the first fault counts.</summary>
    public void Fail(string error) => Error ??= error;
}
