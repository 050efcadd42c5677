namespace DeRa.Lab.Reports;

/// <summary>An estimate and the bounds of its confidence interval.</summary>
public readonly record struct Interval(double Estimate, double Low, double High)
{
    /// <summary>An estimate of which nothing more is known.</summary>
    public static Interval Exact(double value) => new(value, value, value);
}
