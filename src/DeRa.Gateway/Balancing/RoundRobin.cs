namespace DeRa.Gateway.Balancing;

/// <summary>One after the other, whatever their loads. Any thread.</summary>
public sealed class RoundRobin : IBalancingPolicy
{
    private uint _next = uint.MaxValue;

    /// <inheritdoc/>
    public Choice Choose(ulong? key, ReadOnlySpan<Candidate> candidates) =>
        new((int)(Interlocked.Increment(ref _next) % (uint)candidates.Length), false);
}
