using System.Diagnostics.Metrics;
using DeRa.Engine.Branches;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Telemetry;

/// <summary>
/// What the engine measures, under the meter <see cref="EngineTelemetry.Name"/>; exporters subscribe by that name. A sequence
/// counts as what routers call a request. Counters begin with 0, so that a rate over the first request is right.
/// </summary>
internal sealed class EngineMetrics : IDisposable
{
    private const string Router = EngineTelemetry.RouterPrefix;
    private readonly Meter _meter = new(EngineTelemetry.Name);
    private readonly TimeProvider _time;
    private readonly ExecutorLimits _limits;
    private readonly KeyValuePair<string, object?> _model;
    private readonly KeyValuePair<string, object?> _engine = new("engine", "0");
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _generationTokens;
    private readonly Counter<long> _finished;
    private readonly Counter<long> _passesRun;
    private readonly Counter<long> _passesSaved;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _interToken;
    private readonly Histogram<double> _whole;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _prefill;
    private readonly Histogram<double> _decode;
    private readonly Histogram<double> _step;
    private readonly Histogram<double> _mixAndSample;
    private readonly Histogram<int> _stepTokens;
    private readonly Histogram<double> _divergence;
    private readonly Histogram<double> _logWeight;
    private readonly Counter<long> _guesses;
    private readonly Histogram<double> _passesPerToken;
    private readonly Counter<long> _preemptions;
    private readonly Counter<long> _cacheQueries;
    private readonly Counter<long> _cacheHits;
    private readonly Counter<long> _drafts;
    private readonly Counter<long> _draftTokens;
    private readonly Counter<long> _acceptedTokens;

    public EngineMetrics(string model, ExecutorLimits limits, Func<EngineStatus> status, TimeProvider time)
    {
        (_time, _limits) = (time, limits);
        _model = new KeyValuePair<string, object?>("model_name", model);
        Observe(status);
        _promptTokens = Counter(Router + "prompt_tokens", "{token}", "Prompt tokens read");
        _generationTokens = Counter(Router + "generation_tokens", "{token}", "Tokens generated");
        _finished = _meter.CreateCounter<long>(Router + "request_success", "{request}", "Sequences ended, by the reason");
        foreach (var reason in (FinishReason?[])[FinishReason.Stop, FinishReason.Length, FinishReason.Cancelled, null])
            _finished.Add(0, _model, _engine, Reason(reason));
        _preemptions = Counter(Router + "num_preemptions", "{request}", "Sequences put back into the queue");
        _cacheQueries = Counter(Router + "prefix_cache_queries", "{token}", "Prompt tokens looked up in the prefix cache");
        _cacheHits = Counter(Router + "prefix_cache_hits", "{token}", "Prompt tokens found in the prefix cache, by every active model");
        _drafts = Counter(Router + "spec_decode_num_drafts", "{draft}", "Speculative drafts that were checked");
        _draftTokens = Counter(Router + "spec_decode_num_draft_tokens", "{token}", "Tokens of speculative drafts that were checked");
        _acceptedTokens = Counter(Router + "spec_decode_num_accepted_tokens", "{token}", "Tokens of speculative drafts that were kept");
        _firstToken = Seconds(Router + "time_to_first_token_seconds", "From submission to the first token", HistogramBounds.FirstToken);
        _interToken = Seconds(Router + "inter_token_latency_seconds", "From a token to the next", HistogramBounds.InterToken);
        _whole = Seconds(Router + "e2e_request_latency_seconds", "From submission to the end", HistogramBounds.Request);
        _queue = Seconds(Router + "request_queue_time_seconds", "From submission to the first step", HistogramBounds.Request);
        _prefill = Seconds(Router + "request_prefill_time_seconds", "From the first step to the first token", HistogramBounds.Request);
        _decode = Seconds(Router + "request_decode_time_seconds", "From the first token to the end", HistogramBounds.Request);
        _passesRun = Counter("dera.passes.run", "{token}", "Tokens run through a model, for each model");
        _passesSaved = Counter(
            "dera.passes.saved", "{token}", "Tokens not run through a model because it weighs nothing in their sequence, for each model");
        _step = Seconds("dera.step.duration", "A whole step of the models", HistogramBounds.Step);
        _mixAndSample = Seconds("dera.step.mix_and_sample.duration", "Its part from hidden states to tokens", HistogramBounds.Step);
        _passesPerToken = _meter.Histogram("dera.passes_per_token", "",
            "Passes over a model's weights that the tokens after the first of a sequence took, over their number",
            HistogramBounds.PassesPerToken);
        _stepTokens = _meter.Histogram(
            "dera.step.tokens", "{token}", "Tokens run in a step, in all its passes", HistogramBounds.StepTokens);
        _divergence = _meter.Histogram("dera.token.reference_divergence", "{nat}",
            "KL(mixture || reference model) at every eighth token of sequences that mix both", HistogramBounds.Divergence);
        _logWeight = _meter.Histogram("dera.sequence.log_weight", "{nat}",
            "|sum of log Z| of sequences whose requests ask for measures", HistogramBounds.Divergence);
        _guesses = _meter.CreateCounter<long>("dera.guesses", "{token}", "Guessed tokens that were checked, by whether they were right");
        foreach (var strength in Strengths)
            foreach (var isRight in (bool[])[false, true]) _guesses.Add(0, _model, _engine, Strength(strength), Right(isRight));
    }

    public void Stepped(StepPlan plan, StepResult result, TimeSpan took)
    {
        if (plan.Passes.Count == 0) return;
        var tokens = plan.CountTokens();
        _stepTokens.Record(tokens, _model, _engine);
        _passesRun.Add(tokens, _model, _engine);
        _step.Record(took.TotalSeconds, _model, _engine);
        if (result.MixAndSampleTime > TimeSpan.Zero) _mixAndSample.Record(result.MixAndSampleTime.TotalSeconds, _model, _engine);
    }

    public void Preempted() => _preemptions.Add(1, _model, _engine);

    public void PromptRead(Branch branch)
    {
        _cacheQueries.Add(branch.Main.PromptTokens, _model, _engine);
        _cacheHits.Add(branch.CachedTokens, _model, _engine);
    }

    public void GuessesChecked(Branch branch, int made, int right)
    {
        var strength = Strength(branch.StrengthsOfDecided[^1]);
        _guesses.Add(made - right, _model, _engine, strength, Right(false));
        _guesses.Add(right, _model, _engine, strength, Right(true));
        _drafts.Add(1, _model, _engine);
        _draftTokens.Add(made, _model, _engine);
        _acceptedTokens.Add(right, _model, _engine);
    }

    public void DivergenceMeasured(Branch branch, double nats) => _divergence.Record(nats, _model, _engine, Strength(branch.Strengths));

    public void Generated(Branch branch, long? before)
    {
        _generationTokens.Add(1, _model, _engine);
        if (before is null) Record(_firstToken, branch.Clock.Submitted, branch.Clock.FirstToken);
        else Record(_interToken, before, branch.Clock.LastToken);
    }

    /// <summary>The reader of a sequence has its last event, or has gone. Any thread.</summary>
    /// <param name="reason">The finish reason that the response gives; null = it failed.</param>
    public void Finished(FinishReason? reason) => _finished.Add(1, _model, _engine, Reason(reason));

    public void Ended(Branch branch)
    {
        var clock = branch.Clock;
        var (most, sum) = (0, 0);
        for (var model = 0; model < _limits.ModelCount; model++)
            (most, sum) = (Math.Max(most, branch.ComputedTokens(model)), sum + branch.ComputedTokens(model));
        _promptTokens.Add(Math.Min(most, branch.Main.PromptTokens), _model, _engine);
        _passesSaved.Add((long)most * _limits.ModelCount - sum, _model, _engine);
        if (branch.DecidedTokens > 1)
            _passesPerToken.Record((double)branch.DecodePasses / (branch.DecidedTokens - 1), _model, _engine,
                Strength(branch.StrengthsOfDecided[^1]));
        if (branch.Request.Measures is not null && branch.DecidedTokens > 0)
            _logWeight.Record(Math.Abs(branch.LogZ), _model, _engine, Strength(branch.StrengthsOfDecided[^1]));
        Record(_whole, clock.Submitted, clock.Ended);
        Record(_queue, clock.Submitted, clock.Admitted);
        Record(_prefill, clock.Admitted, clock.FirstToken);
        Record(_decode, clock.FirstToken, clock.Ended);
    }

    /// <summary>One of each value of <see cref="Strength"/>.</summary>
    private static readonly AlignmentStrengths[] Strengths = [-1, 0, .5, 1, 2];

    private static KeyValuePair<string, object?> Right(bool isRight) => new("right", isRight ? "true" : "false");

    /// <summary>Few values, since each is a series: what the aligned models weigh together.</summary>
    private static KeyValuePair<string, object?> Strength(AlignmentStrengths strengths) =>
        new("alignment_strength", (1 - strengths.Reference) switch { < 0 => "<0", 0 => "0", < 1 => "0-1", 1 => "1", _ => ">1" });

    public void Dispose() => _meter.Dispose();

    private void Observe(Func<EngineStatus> status)
    {
        Gauge("num_requests_running", "{request}", "Sequences in the batch", now => now.RunningSequences);
        Gauge("num_requests_waiting", "{request}", "Sequences in the queue", now => now.QueuedSequences);
        Gauge("kv_cache_usage_perc", "", "Cache blocks held, as a fraction of 1", now => (double)now.BlocksInUse / now.BlockCount);
        _meter.CreateObservableGauge(Router + "cache_config_info", () => new Measurement<int>(1, _model, _engine,
            new("block_size", $"{_limits.BlockTokens}"), new("num_gpu_blocks", $"{_limits.BlockCount}")), null, "The cache's size");

        void Gauge(string name, string unit, string description, Func<EngineStatus, double> value) => _meter.CreateObservableGauge(
            Router + name, () => new Measurement<double>(value(status()), _model, _engine), unit, description);
    }

    private Counter<long> Counter(string name, string unit, string description)
    {
        var counter = _meter.CreateCounter<long>(name, unit, description);
        counter.Add(0, _model, _engine);
        return counter;
    }

    private Histogram<double> Seconds(string name, string description, IReadOnlyList<double> bounds) =>
        _meter.Histogram(name, "s", description, bounds);

    private void Record(Histogram<double> histogram, long? from, long? to)
    {
        if (from is { } began && to is { } ended) histogram.Record(_time.GetElapsedTime(began, ended).TotalSeconds, _model, _engine);
    }

    /// <summary>The reasons as routers know them.</summary>
    private static KeyValuePair<string, object?> Reason(FinishReason? reason) => new("finished_reason", reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Cancelled => "abort",
        _ => "error",
    });
}
