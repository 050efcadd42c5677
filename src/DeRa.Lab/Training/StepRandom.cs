namespace DeRa.Lab.Training;

/// <summary>Random sources that depend on a run's seed and the step only: no state need be saved to resume.</summary>
internal static class StepRandom
{
    /// <summary>The source of one step.</summary>
    public static Random At(long seed, int step) => new(unchecked((int)Seed(seed, step)));

    /// <summary>A seed of one step for a generator on a device (splitmix64 of both).</summary>
    public static long Seed(long seed, int step)
    {
        var x = unchecked((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)step + 1);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return (long)((x ^ (x >> 31)) >> 1);
    }
}
