using System.Diagnostics.Metrics;
using DeRa.Engine;
using DeRa.Engine.Telemetry;

namespace DeRa.Benchmarks;

/// <summary>Notes when steps of the process's one engine ended. Any thread.</summary>
internal sealed class StepClock : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<long> _ended = [];

    /// <summary>Begins to listen; engines may start afterwards.</summary>
    public StepClock()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineTelemetry.Name && instrument.Name == "dera.step.duration")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, _, _, _) =>
        {
            lock (_lock) _ended.Add(TimeProvider.System.GetTimestamp());
        });
        _listener.Start();
    }

    /// <summary>Steps that ended from the submission of a sequence to its first token, the one that gave it included.</summary>
    /// <param name="times">The sequence's, which has its first token; of an engine with the system's clock.</param>
    public int StepsToFirstToken(SequenceTimestamps times)
    {
        // A step's measurement comes after the timestamp of its tokens.
        lock (_lock) return 1 + _ended.Count(ended => ended > times.Submitted && ended <= times.FirstToken);
    }

    public void Dispose() => _listener.Dispose();
}
