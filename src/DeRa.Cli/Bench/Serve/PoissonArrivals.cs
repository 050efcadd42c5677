namespace DeRa.Cli.Bench.Serve;

/// <summary>When requests come that do not know of each other: the times between them are exponentially distributed.</summary>
internal static class PoissonArrivals
{
    /// <summary>Times from the beginning, without end; the same ones for a seed.</summary>
    /// <param name="rate">Arrivals a second, above 0.</param>
    /// <param name="seed">Which ones.</param>
    public static IEnumerable<TimeSpan> At(double rate, int seed)
    {
        var (random, seconds) = (new Random(seed), 0.0);
        while (true)
        {
            seconds -= Math.Log(1 - random.NextDouble()) / rate;
            yield return TimeSpan.FromSeconds(seconds);
        }
    }
}
