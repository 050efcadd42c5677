namespace DeRa.Engine.Requests;

/// <summary>
/// Counter-based random numbers: a pure function of (seed, choice, position), so that a request draws the same numbers
/// alone or in any batch. Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// </summary>
public static class CounterRandom
{
    /// <summary>A uniform number in [0, 1) with 53 random bits.</summary>
    /// <param name="seed">The request's seed.</param>
    /// <param name="choiceIndex">Which of the n choices of its prompt, from 0.</param>
    /// <param name="position">The position in the sequence, prompt included, of the token that is drawn.</param>
    public static double Uniform(long seed, int choiceIndex, int position)
    {
        var (a, b, _, _) = Philox(
            ((uint)position, (uint)choiceIndex, 0, 0), ((uint)seed, (uint)((ulong)seed >> 32)));
        return ((ulong)(a >> 5) * (1UL << 26) + (b >> 6)) * (1.0 / (1UL << 53));
    }

    /// <summary>Ten rounds of Philox4x32.</summary>
    internal static (uint, uint, uint, uint) Philox((uint A, uint B, uint C, uint D) counter, (uint A, uint B) key)
    {
        for (var round = 0; round < 10; round++)
        {
            var left = 0xD2511F53UL * counter.A;
            var right = 0xCD9E8D57UL * counter.C;
            counter = ((uint)(right >> 32) ^ counter.B ^ key.A, (uint)right, (uint)(left >> 32) ^ counter.D ^ key.B, (uint)left);
            key = (key.A + 0x9E3779B9, key.B + 0xBB67AE85);
        }
        return counter;
    }
}
