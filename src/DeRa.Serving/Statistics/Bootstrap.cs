namespace DeRa.Serving.Statistics;

/// <summary>Percentile bootstrap (Efron 1979) of a mean. Equal seeds give equal intervals.</summary>
public static class Bootstrap
{
    /// <summary>
    /// The mean over all values, with its interval, where values come in groups that belong together, as do the completions of
    /// one prompt: whole groups are resampled, because values within one are correlated.
    /// </summary>
    /// <param name="groups">At least one; none of them empty.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <param name="resamples">How many resamples, ≥ 1.</param>
    /// <param name="seed">Of the resamples.</param>
    public static Interval ClusterMeanInterval(
        IReadOnlyList<IReadOnlyList<double>> groups, double confidence = .95, int resamples = 2000, int seed = 0)
    {
        if (groups.Count == 0 || groups.Any(group => group.Count == 0)) throw new ArgumentException("a mean needs values", nameof(groups));
        if (confidence is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "allowed: between 0 and 1");
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);

        var sums = groups.Select(group => group.Sum()).ToArray();
        var counts = groups.Select(group => group.Count).ToArray();
        var means = Resample(sums, counts, resamples, new Random(seed));
        var tail = (1 - confidence) / 2;
        return new(sums.Sum() / counts.Sum(), Quantile(means, tail), Quantile(means, 1 - tail));
    }

    /// <summary>
    /// How often each of several places of a curve is its highest when whole groups are resampled, the same ones at all places.
    /// </summary>
    /// <param name="places">For each place one value of each group, in the same order of groups everywhere; at least one of each.</param>
    /// <param name="resamples">How many resamples, ≥ 1.</param>
    /// <param name="seed">Of the resamples.</param>
    /// <returns>Shares that sum to 1, one a place; of equal places the first counts.</returns>
    public static double[] HighestShares(IReadOnlyList<double[]> places, int resamples = 2000, int seed = 0)
    {
        if (places.Count == 0 || places[0].Length == 0 || places.Any(place => place.Length != places[0].Length))
            throw new ArgumentException("places need one value of each group", nameof(places));
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);

        var (random, groups, wins) = (new Random(seed), places[0].Length, new int[places.Count]);
        var sums = new double[places.Count];
        for (var sample = 0; sample < resamples; sample++)
        {
            Array.Clear(sums);
            for (var draw = 0; draw < groups; draw++)
            {
                var group = random.Next(groups);
                for (var place = 0; place < sums.Length; place++) sums[place] += places[place][group];
            }
            wins[Array.IndexOf(sums, sums.Max())]++;
        }
        return [.. wins.Select(count => (double)count / resamples)];
    }

    private static double[] Resample(double[] sums, int[] counts, int resamples, Random random)
    {
        var means = new double[resamples];
        for (var sample = 0; sample < resamples; sample++)
        {
            var (sum, count) = (0.0, 0);
            for (var draw = 0; draw < sums.Length; draw++)
            {
                var group = random.Next(sums.Length);
                sum += sums[group];
                count += counts[group];
            }
            means[sample] = sum / count;
        }
        Array.Sort(means);
        return means;
    }

    private static double Quantile(double[] sorted, double probability)
    {
        var position = probability * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}

/// <summary>An estimate and the bounds of its confidence interval.</summary>
public readonly record struct Interval(double Estimate, double Low, double High)
{
    /// <summary>An exact value.</summary>
    public static Interval Exact(double value) => new(value, value, value);
}
