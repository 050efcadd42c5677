namespace DeRa.Gateway.Balancing;

/// <summary>
/// The power of two choices (Mitzenmacher, 2001): of two candidates drawn at random, the one with the lower load. Unlike the lowest of
/// all, it does not send everybody to the same replica between two reports of loads. Any thread.
/// </summary>
/// <param name="seed">The same seed gives the same draws.</param>
public sealed class RandomPairs(ulong seed)
{
    private ulong _draws = RendezvousHash.Mix(seed);

    /// <summary>Draws two and takes the better one.</summary>
    /// <param name="candidates">At least one.</param>
    public int Choose(ReadOnlySpan<Candidate> candidates)
    {
        if (candidates.Length == 1) return 0;
        var draw = RendezvousHash.Mix(Interlocked.Increment(ref _draws));
        var first = (int)((draw & uint.MaxValue) % (uint)candidates.Length);
        // Another one: it lies 1 to length - 1 places after the first.
        var second = (first + 1 + (int)((draw >> 32) % (uint)(candidates.Length - 1))) % candidates.Length;
        return Relative(candidates[second]) < Relative(candidates[first]) ? second : first;
    }

    /// <summary>The load that a candidate would have with one more, in parts of its share.</summary>
    public static double Relative(in Candidate candidate) => (candidate.Load + 1) / candidate.Share;
}
