using System.Diagnostics.Metrics;

namespace DeRa.Engine.Telemetry;

/// <summary>Instruments with what exporters need to know of them.</summary>
public static class MeterExtensions
{
    /// <summary>A histogram with these buckets.</summary>
    /// <param name="meter">Whose it is.</param>
    /// <param name="name">Its name.</param>
    /// <param name="unit">Its unit, in UCUM.</param>
    /// <param name="description">What it measures.</param>
    /// <param name="bounds">The buckets' upper bounds, ascending.</param>
    public static Histogram<T> Histogram<T>(this Meter meter, string name, string unit, string description, IReadOnlyList<T> bounds)
        where T : struct =>
        meter.CreateHistogram(name, unit, description, null, new InstrumentAdvice<T> { HistogramBucketBoundaries = bounds });
}
