namespace DeRa.Gateway.Balancing;

/// <summary>Of two random replicas the one with fewer requests, whatever they begin with.</summary>
/// <param name="seed">Of the random choices.</param>
public sealed class LeastRequests(ulong seed) : IBalancingPolicy
{
    private readonly RandomPairs _pairs = new(seed);

    /// <inheritdoc/>
    public Choice Choose(ulong? key, ReadOnlySpan<Candidate> candidates) => new(_pairs.Choose(candidates), false);
}
