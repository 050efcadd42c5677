using System.Diagnostics.Metrics;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Telemetry;

/// <summary>What the engine measures, under the meter <see cref="EngineTelemetry.Name"/>. Exporters subscribe by that name.</summary>
internal sealed class EngineMetrics : IDisposable
{
    private readonly Meter _meter = new(EngineTelemetry.Name);
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _outputTokens;
    private readonly Counter<long> _sequences;
    private readonly Histogram<int> _stepTokens;
    private readonly Histogram<double> _queueSeconds;

    public EngineMetrics(Func<EngineStatus> status)
    {
        _promptTokens = _meter.CreateCounter<long>("dera.prompt.tokens", "{token}", "Prompt tokens run");
        _outputTokens = _meter.CreateCounter<long>("dera.output.tokens", "{token}", "Tokens generated");
        _sequences = _meter.CreateCounter<long>("dera.sequences", "{sequence}", "Sequences ended, by finish reason");
        _stepTokens = _meter.CreateHistogram<int>("dera.step.tokens", "{token}", "Tokens run in a step");
        _queueSeconds = _meter.CreateHistogram<double>("dera.queue.duration", "s", "Time from submission to the first step");
        _meter.CreateObservableGauge("dera.sequences.running", () => status().RunningSequences, "{sequence}", "Sequences in the batch");
        _meter.CreateObservableGauge("dera.sequences.waiting", () => status().QueuedSequences, "{sequence}", "Sequences in the queue");
        _meter.CreateObservableGauge("dera.cache.blocks.used", () => status().BlocksInUse, "{block}", "Cache blocks held");
    }

    public void QueueTime(TimeSpan waited) => _queueSeconds.Record(waited.TotalSeconds);

    public void Stepped(StepPlan plan, StepResult result)
    {
        var (tokens, sampled) = (0, 0);
        for (var i = 0; i < plan.Rows.Count; i++)
        {
            tokens += plan.Rows[i].Tokens.Length;
            if (plan.Rows[i].Sampling is not null && result.Rows[i].Error is null) sampled++;
        }
        if (tokens == 0) return;
        _stepTokens.Record(tokens);
        _outputTokens.Add(sampled);
    }

    public void Ended(Sequence sequence, FinishReason? reason)
    {
        _promptTokens.Add(Math.Min(sequence.CachedLength, sequence.Request.PromptTokens.Count));
        _sequences.Add(1, new KeyValuePair<string, object?>("finish_reason", Label(reason)));
    }

    public void Dispose() => _meter.Dispose();

    private static string Label(FinishReason? reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Cancelled => "cancelled",
        _ => "error",
    };
}
