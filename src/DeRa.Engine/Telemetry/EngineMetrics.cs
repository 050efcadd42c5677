using System.Diagnostics.Metrics;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Telemetry;

/// <summary>What the engine measures, under the meter <see cref="EngineTelemetry.Name"/>. Exporters subscribe by that name.</summary>
internal sealed class EngineMetrics : IDisposable
{
    private readonly Meter meter = new(EngineTelemetry.Name);
    private readonly Counter<long> promptTokens;
    private readonly Counter<long> outputTokens;
    private readonly Counter<long> sequences;
    private readonly Histogram<int> stepTokens;
    private readonly Histogram<double> queueSeconds;

    public EngineMetrics(Func<EngineStatus> status)
    {
        promptTokens = meter.CreateCounter<long>("dera.prompt.tokens", "{token}", "Prompt tokens run");
        outputTokens = meter.CreateCounter<long>("dera.output.tokens", "{token}", "Tokens generated");
        sequences = meter.CreateCounter<long>("dera.sequences", "{sequence}", "Sequences ended, by finish reason");
        stepTokens = meter.CreateHistogram<int>("dera.step.tokens", "{token}", "Tokens run in a step");
        queueSeconds = meter.CreateHistogram<double>("dera.queue.duration", "s", "Time from submission to the first step");
        meter.CreateObservableGauge("dera.sequences.running", () => status().RunningSequences, "{sequence}", "Sequences in the batch");
        meter.CreateObservableGauge("dera.sequences.waiting", () => status().QueuedSequences, "{sequence}", "Sequences in the queue");
        meter.CreateObservableGauge("dera.cache.blocks.used", () => status().BlocksInUse, "{block}", "Cache blocks held");
    }

    public void QueueTime(TimeSpan waited) => queueSeconds.Record(waited.TotalSeconds);

    public void Stepped(StepPlan plan, StepResult result)
    {
        var (tokens, sampled) = (0, 0);
        for (var i = 0; i < plan.Rows.Count; i++)
        {
            tokens += plan.Rows[i].Tokens.Length;
            if (plan.Rows[i].Sampling is not null && result.Rows[i].Error is null) sampled++;
        }
        if (tokens == 0) return;
        stepTokens.Record(tokens);
        outputTokens.Add(sampled);
    }

    public void Ended(Sequence sequence, FinishReason? reason)
    {
        promptTokens.Add(Math.Min(sequence.CachedLength, sequence.Request.PromptTokens.Count));
        sequences.Add(1, new KeyValuePair<string, object?>("finish_reason", Label(reason)));
    }

    public void Dispose() => meter.Dispose();

    private static string Label(FinishReason? reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Cancelled => "cancelled",
        _ => "error",
    };
}
