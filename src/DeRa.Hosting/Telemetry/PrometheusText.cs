using System.Globalization;
using System.Text;
using OpenTelemetry.Metrics;

namespace DeRa.Hosting.Telemetry;

/// <summary>
/// Writes metrics in Prometheus' text format 0.0.4. OpenTelemetry's own exporter cannot: names with a colon, which routers
/// read, are none to it.
/// </summary>
internal sealed class PrometheusText
{
    /// <summary>Instruments may have no colon in their names; those of vLLM, which begin so, get it back here.</summary>
    private const string RouterPrefix = "vllm.";

    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _written = [];

    /// <summary>The name under which an instrument comes out.</summary>
    /// <param name="instrument">Its name, with dots.</param>
    /// <param name="unit">Its unit, in UCUM.</param>
    /// <param name="isCounter">Whether it only grows.</param>
    public static string NameOf(string instrument, string unit, bool isCounter)
    {
        var name = instrument.StartsWith(RouterPrefix, StringComparison.Ordinal)
            ? $"vllm:{instrument[RouterPrefix.Length..]}" : instrument.Replace('.', '_');
        if (unit == "s" && !name.EndsWith("_seconds", StringComparison.Ordinal)) name += "_seconds";
        return isCounter ? name + "_total" : name;
    }

    /// <summary>Adds a metric with all its series.</summary>
    public void Add(Metric metric)
    {
        var isCounter = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
        var name = NameOf(metric.Name, metric.Unit, isCounter);
        // Two meters may hold an instrument of the same name; the head may be written once only.
        if (_written.Add(name))
            _text.Append("# HELP ").Append(name).Append(' ').Append(metric.Description).Append('\n')
                .Append("# TYPE ").Append(name).Append(' ').Append(TypeOf(metric.MetricType)).Append('\n');
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = Labels(point.Tags);
            if (metric.MetricType == MetricType.Histogram) Histogram(name, labels, point);
            else Line(name, labels, Value(metric.MetricType, point));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Histogram(string name, string labels, in MetricPoint point)
    {
        var separator = labels.Length > 0 ? "," : "";
        long count = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            count += bucket.BucketCount;
            Line(name + "_bucket", $"{labels}{separator}le=\"{Number(bucket.ExplicitBound)}\"", count);
        }
        Line(name + "_sum", labels, point.GetHistogramSum());
        Line(name + "_count", labels, point.GetHistogramCount());
    }

    private void Line(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Labels(OpenTelemetry.ReadOnlyTagCollection tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
            text.Append(text.Length > 0 ? "," : "").Append(key.Replace('.', '_')).Append("=\"")
                .Append(Escaped(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('"');
        return text.ToString();
    }

    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);

    private static double Value(MetricType type, in MetricPoint point) => type switch
    {
        MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
        MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
        MetricType.LongGauge => point.GetGaugeLastValueLong(),
        MetricType.DoubleGauge => point.GetGaugeLastValueDouble(),
        _ => throw new NotSupportedException($"{type} has no form in this format"),
    };

    private static string TypeOf(MetricType type) => type switch
    {
        MetricType.Histogram => "histogram",
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        _ => "gauge",
    };

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
