using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Gateway.Options;

/// <summary>How requests are passed on.</summary>
public sealed record ForwardingOptions
{
    /// <summary>Size of a request.</summary>
    [Description("Size of a request, in bytes; of a gRPC stream, that of its first message. It is kept until its response begins."),
        Range(1024, 1 << 30)]
    public int MaxBodyBytes { get; init; } = 4 << 20;

    /// <summary>Bytes of requests that are kept at once; null = by their size.</summary>
    [Description("Bytes of requests that may be kept at once until their responses begin, at least max-body-bytes; more are refused (503)."),
        Range(1024.0, 1L << 40), Option(DefaultText = "64 times max-body-bytes")]
    public long? MaxPendingBodyBytes { get; init; }

    /// <summary>Replicas that a request is tried at.</summary>
    [Description("Replicas that a request is tried at, one after the other, while they cannot be reached or respond 503."), Range(1, 100)]
    public int MaxAttempts { get; init; } = 4;

    /// <summary>Seconds for a connection to a replica.</summary>
    [Description("Seconds that a connection to a replica may take."), Range(.05, 3600)]
    public double ConnectSeconds { get; init; } = 2;

    /// <summary>Seconds without a byte.</summary>
    [Description("Seconds for which nothing may come from a replica nor from the client: a long prompt is read in silence, and a response in "
        + "one piece is generated in it."), Range(1, 86400)]
    public int IdleSeconds { get; init; } = 3600;

    /// <summary>Seconds for what runs after the gateway was asked to stop.</summary>
    [Description("Seconds that running requests may go on for after the gateway was told to stop."), Range(0, 86400)]
    public int DrainSeconds { get; init; } = 30;

    /// <summary>Bytes of requests that are kept at once.</summary>
    public long PendingBodyBytes => MaxPendingBodyBytes ?? 64L * MaxBodyBytes;

    /// <summary>Checks what the ranges do not say.</summary>
    /// <exception cref="OptionException">Less may be kept than one request may have.</exception>
    public void Check()
    {
        if (PendingBodyBytes < MaxBodyBytes)
            throw new OptionException(
                $"--max-pending-body-bytes is {PendingBodyBytes}; it must be at least --max-body-bytes, {MaxBodyBytes}.");
    }
}
