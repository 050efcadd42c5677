namespace DeRa.Cli.Bench.Serve;

/// <summary>Of so many durations in seconds, the mean, and the smallest that at least half, 90 and 99 in a hundred do not exceed.</summary>
internal sealed record Percentiles(int Count, double Mean, double P50, double P90, double P99)
{
    /// <summary>Sorts them; null where there is none.</summary>
    public static Percentiles? Of(IReadOnlyCollection<double> seconds)
    {
        if (seconds.Count == 0) return null;
        var sorted = seconds.Order().ToArray();
        return new Percentiles(sorted.Length, sorted.Average(), At(50), At(90), At(99));

        double At(int percent) => sorted[(int)(((long)sorted.Length * percent + 99) / 100) - 1];
    }
}
