using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Forwarding;

/// <summary>The bytes of requests that are kept at once until their responses begin. Any thread.</summary>
/// <param name="most">How many, over all requests.</param>
public sealed class BodyBudget(long most)
{
    private long _kept;

    /// <summary>Bytes that are kept now.</summary>
    public long Kept => Interlocked.Read(ref _kept);

    /// <summary>Keeps so many more.</summary>
    /// <exception cref="GatewayException">There is no room; it keeps what it kept.</exception>
    public void Keep(long bytes)
    {
        if (Interlocked.Add(ref _kept, bytes) <= most) return;
        Free(bytes);
        throw new GatewayException(GatewayError.BodiesFull);
    }

    /// <summary>Keeps so many less.</summary>
    public void Free(long bytes) => Interlocked.Add(ref _kept, -bytes);
}
