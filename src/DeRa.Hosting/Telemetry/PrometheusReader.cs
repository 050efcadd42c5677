using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace DeRa.Hosting.Telemetry;

/// <summary>Collects all metrics when somebody asks. Any thread.</summary>
public sealed class PrometheusReader : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Exporter _exporter = new();

    /// <summary>Makes the reader.</summary>
    public PrometheusReader() => Reader = new BaseExportingMetricReader(_exporter)
    {
        TemporalityPreference = MetricReaderTemporalityPreference.Cumulative,
    };

    /// <summary>What the provider of metrics must know; it owns it.</summary>
    public MetricReader Reader { get; }

    /// <summary>All metrics, in Prometheus' text format.</summary>
    public string Read()
    {
        lock (_gate)
        {
            // The reader collects for its exporter only.
            _exporter.Collect!(Timeout.Infinite);
            return _exporter.Text;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reader.Dispose();
        _exporter.Dispose();
    }

    [ExportModes(ExportModes.Pull)]
    private sealed class Exporter : BaseExporter<Metric>, IPullMetricExporter
    {
        public string Text { get; private set; } = "";

        public Func<int, bool>? Collect { get; set; }

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var text = new PrometheusText();
            foreach (var metric in batch) text.Add(metric);
            Text = text.ToString();
            return ExportResult.Success;
        }
    }
}
