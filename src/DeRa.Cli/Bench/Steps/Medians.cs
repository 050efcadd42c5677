namespace DeRa.Cli.Bench.Steps;

/// <summary>Medians of measurements.</summary>
internal static class Medians
{
    /// <summary>The middle one, of an even number the larger.</summary>
    public static double Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
