namespace DeRa.Engine.Requests;

/// <summary>
/// The noise with which tokens are drawn: argmax over v of (log p(v) + g(v)) is distributed as p where the g(v) are independent
/// standard Gumbel numbers (Gumbel 1954). Each g is a pure function of (seed, choice, stream, position, token), so that a request
/// draws the same tokens alone or in any batch, and a guess that is drawn with the noise of a decision is mostly right.
/// </summary>
public static class GumbelNoise
{
    /// <summary>
    /// The key of all of a position's noise: 64 bits of Philox over (position, choice, stream) under the seed.
    /// </summary>
    /// <param name="seed">The request's seed.</param>
    /// <param name="choiceIndex">Which of the choices of its prompt, from 0.</param>
    /// <param name="stream">0 for a choice itself; each of its forks has its own.</param>
    /// <param name="position">The position in the sequence, prompt included, of the token that is drawn.</param>
    public static ulong Key(long seed, int choiceIndex, int stream, int position)
    {
        var (a, b, _, _) = CounterRandom.Philox(
            ((uint)position, (uint)choiceIndex, (uint)stream, Domain), ((uint)seed, (uint)((ulong)seed >> 32)));
        return (ulong)b << 32 | a;
    }

    /// <summary>
    /// 32 random bits of a token: the upper half of output number <paramref name="token"/> of SplitMix64 (Steele, Lea and Flood, "Fast
    /// splittable pseudorandom number generators", OOPSLA 2014) begun at the key.
    /// </summary>
    /// <param name="key">The position's <see cref="Key"/>.</param>
    /// <param name="token">The token's id.</param>
    public static uint Bits(ulong key, int token)
    {
        var value = key + ((ulong)token + 1) * Increment;
        value = (value ^ (value >> 30)) * FirstFactor;
        value = (value ^ (value >> 27)) * SecondFactor;
        return (uint)((value ^ (value >> 31)) >> 32);
    }

    /// <summary>g of a token: −log(−log(1 − u)), u = (bits + ½) · 2⁻³²; within [−3.2, 22.9]. In double precision.</summary>
    /// <param name="key">The position's <see cref="Key"/>.</param>
    /// <param name="token">The token's id.</param>
    public static double Of(ulong key, int token) => -Math.Log(-double.LogP1(-(Bits(key, token) + 0.5) * (1.0 / (1L << 32))));

    /// <summary>What SplitMix64 adds for each output: 2⁶⁴ over the golden ratio, odd.</summary>
    public const ulong Increment = 0x9E3779B97F4A7C15;

    /// <summary>The first factor of SplitMix64's mixing.</summary>
    public const ulong FirstFactor = 0xBF58476D1CE4E5B9;

    /// <summary>The second factor of SplitMix64's mixing.</summary>
    public const ulong SecondFactor = 0x94D049BB133111EB;

    /// <summary>Keeps these numbers apart from <see cref="CounterRandom.Uniform"/>'s.</summary>
    private const uint Domain = 1;
}
