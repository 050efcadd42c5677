namespace DeRa.Serving.Sweeps.Reports;

/// <summary>An axis with round numbers at its ticks.</summary>
/// <param name="Low">Its beginning.</param>
/// <param name="High">Its end, above <paramref name="Low"/>.</param>
/// <param name="Step">Between ticks.</param>
internal sealed record PlotAxis(double Low, double High, double Step)
{
    private const int MostSteps = 6;
    private static readonly double[] s_steps = [1, 2, 2.5, 5, 10];

    /// <summary>Its ticks, rising; −0 is none of them.</summary>
    public IEnumerable<double> Ticks =>
        Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Math.Round(Low + i * Step, 10) + 0.0);

    /// <summary>An axis that holds all values.</summary>
    /// <param name="values">Finite; at least one.</param>
    public static PlotAxis Of(IEnumerable<double> values)
    {
        var (low, high) = values.Aggregate((double.PositiveInfinity, double.NegativeInfinity),
            (bounds, value) => (Math.Min(bounds.Item1, value), Math.Max(bounds.Item2, value)));
        if (high - low < 1e-9) (low, high) = (low - .5, high + .5);
        var power = Math.Pow(10, Math.Floor(Math.Log10((high - low) / MostSteps)));
        var step = s_steps.Select(factor => factor * power)
            .First(step => Math.Ceiling(high / step - 1e-9) - Math.Floor(low / step + 1e-9) <= MostSteps || step >= 10 * power);
        return new PlotAxis(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step);
    }

    /// <summary>Where a value lies, 0 at the beginning and 1 at the end.</summary>
    public double Part(double value) => (value - Low) / (High - Low);
}
