namespace DeRa.Gateway.Balancing;

/// <summary>
/// Requests that begin alike go to the same replica, whose cache has read their beginning, as long as it has no more than its part:
/// rendezvous hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018). A key that one replica cannot bear alone goes on
/// to the next few in its own order, so that a popular beginning is read by a few replicas, not by all; beyond them, and without a key,
/// two random choices decide.
/// </summary>
/// <param name="seed">Of the random choices.</param>
/// <param name="bound">By how much a replica's load may exceed the mean, as a factor of at least 1.</param>
/// <param name="depth">Replicas that a key is tried at in its own order, at least 1.</param>
public sealed class PrefixAffinity(ulong seed, double bound = PrefixAffinity.DefaultBound, int depth = PrefixAffinity.DefaultDepth)
    : IBalancingPolicy
{
    /// <summary>What the load of one replica may be of the mean.</summary>
    public const double DefaultBound = 1.25;

    /// <summary>Replicas that a key is tried at.</summary>
    public const int DefaultDepth = 4;

    private readonly RandomPairs _pairs = new(seed);

    /// <inheritdoc/>
    public Choice Choose(ulong? key, ReadOnlySpan<Candidate> candidates)
    {
        if (key is not { } known) return new Choice(_pairs.Choose(candidates), false);
        var perShare = PerShare(candidates);
        Span<int> order = stackalloc int[depth];
        order = order[..RendezvousHash.Order(known, candidates, order)];
        foreach (var index in order)
            if (Fits(candidates[index], perShare)) return new Choice(index, index == order[0]);
        var drawn = _pairs.Choose(candidates);
        if (!Fits(candidates[drawn], perShare)) drawn = Least(candidates);
        return new Choice(drawn, drawn == order[0]);
    }

    /// <summary>The load that a candidate may have, this request included.</summary>
    /// <param name="candidates">All.</param>
    /// <param name="index">Which.</param>
    public double Capacity(ReadOnlySpan<Candidate> candidates, int index) => Capacity(candidates[index], PerShare(candidates));

    private static bool Fits(in Candidate candidate, double perShare) => candidate.Load + 1 <= Capacity(candidate, perShare);

    /// <summary>Rounded up: with few requests the mean is below 1, and somebody must have the next one.</summary>
    private static double Capacity(in Candidate candidate, double perShare) => Math.Ceiling(perShare * candidate.Share);

    private double PerShare(ReadOnlySpan<Candidate> candidates)
    {
        var (load, shares) = (1.0, 0.0);
        foreach (ref readonly var candidate in candidates)
        {
            load += candidate.Load;
            shares += candidate.Share;
        }
        return bound * load / shares;
    }

    private static int Least(ReadOnlySpan<Candidate> candidates)
    {
        var least = 0;
        for (var i = 1; i < candidates.Length; i++)
            if (RandomPairs.Relative(candidates[i]) < RandomPairs.Relative(candidates[least])) least = i;
        return least;
    }
}
