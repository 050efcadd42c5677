using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Hosting.Options;

namespace DeRa.Server.Options;

/// <summary>How requests' bodies are read.</summary>
internal sealed record BodyOptions
{
    [Description("Whether fields that nobody knows are refused, not ignored and listed in a header.")]
    public bool StrictFields { get; init; }

    [Description("Size of a request, in bytes."), Range(1024, 1 << 30)]
    public int MaxBodyBytes { get; init; } = 4 << 20;

    [Description("Bytes of requests that may be held at once between their arrival and their encoding, over all clients, at least "
        + "max-body-bytes; more are refused (503). One key may hold half of them."), Range(1024.0, 1L << 40),
        Option(DefaultText = "16 times max-body-bytes")]
    public long? MaxPendingBodyBytes { get; init; }

    [Description("Nesting of a request's JSON."), Range(8, 1024)]
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>Bytes of requests that are held at once.</summary>
    public long PendingBodyBytes => MaxPendingBodyBytes ?? 16L * MaxBodyBytes;

    /// <summary>Checks what the ranges do not say.</summary>
    /// <exception cref="OptionException">Less may be held than one request may have.</exception>
    public void Check()
    {
        if (PendingBodyBytes < MaxBodyBytes)
            throw new OptionException(
                $"--max-pending-body-bytes is {PendingBodyBytes}; it must be at least --max-body-bytes, {MaxBodyBytes}.");
    }
}
