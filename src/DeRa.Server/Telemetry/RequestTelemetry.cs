using System.Diagnostics;
using DeRa.Engine.Requests;
using DeRa.Server.Responses;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Telemetry;

/// <summary>
/// What is reported of one request: its span, and its part of the metrics. The transports report what happens to it; nothing
/// here can fail it.
/// </summary>
internal sealed class RequestTelemetry(RequestMetrics metrics, Activity? span, bool capturesContent, TimeProvider time)
{
    private readonly DateTimeOffset _arrivedAt = time.GetUtcNow();
    private readonly long _arrived = time.GetTimestamp();
    private TagList? _labels;
    private Generation? _generation;
    private RunningScores? _running;
    private CapturedText? _text;
    private string? _error;
    private bool _isCompleted;

    /// <summary>The telemetry of a request.</summary>
    public static RequestTelemetry Of(HttpContext context) => context.Features.Get<RequestTelemetry>()!;

    /// <summary>What was asked for, once it is checked; null before, and where it was refused.</summary>
    public PreparedRequest? Request { get; private set; }

    /// <summary>What it scores, once it is checked; null before, and where it generates or was refused.</summary>
    public PreparedScores? Scores { get; private set; }

    /// <summary>The names of the aligned models, once it is checked.</summary>
    public IReadOnlyList<string> Aligned { get; private set; } = [];

    /// <summary>Tokens generated so far; null where the engine has not taken it.</summary>
    public int? OutputTokens => _generation?.CompletionTokens;

    /// <summary>Tokens of the prompts that no model had to run; null where the engine has not taken it.</summary>
    public int? CachedTokens => _generation?.CachedTokens ?? _running?.CachedTokens;

    /// <summary>The kind of the fault with which it ended; null = none.</summary>
    public string? Error => _error;

    /// <summary>Time from its arrival until its first token; null while there is none.</summary>
    public TimeSpan? FirstToken => _generation is { CompletionTokens: > 0, Times: { Queue: { } queue, Prefill: { } prefill } } generation
        ? generation.SubmittedAt - _arrivedAt + queue + prefill : null;

    /// <summary>It is checked, and its labels are known.</summary>
    /// <param name="prepared">What was asked for, and what is to run.</param>
    /// <param name="pair">What serves it.</param>
    public void Prepared(PreparedGeneration prepared, ServedPair pair)
    {
        var (input, request) = prepared;
        var operation = prepared.IsChat ? "chat" : "text_completion";
        (Request, Aligned) = (request, pair.Names.Aligned);
        _labels = RequestMetrics.Labels(operation, pair.Names.Pair);
        if (request.Sweep is null) Measure(request.Strengths, pair.Names);
        else foreach (var strength in request.Sweep) Measure(strength, pair.Names);
        if (span is not { IsAllDataRequested: true }) return;
        RequestSpan.Describe(span, operation, input, request, pair.Names.Aligned);
        if (capturesContent) _text = new CapturedText(input, request);
    }

    /// <summary>The same of a request that scores. Its strengths, up to a thousand, say nothing of what is served.</summary>
    /// <param name="prepared">What is to run.</param>
    /// <param name="pair">What serves it.</param>
    public void Prepared(PreparedScores prepared, ServedPair pair)
    {
        (Scores, Aligned) = (prepared, pair.Names.Aligned);
        _labels = RequestMetrics.Labels("score", pair.Names.Pair);
        if (span is { IsAllDataRequested: true }) RequestSpan.Describe(span, "score", prepared, pair.Names.Aligned);
    }

    /// <summary>Time since it arrived.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_arrived);

    /// <summary>The engine has taken it.</summary>
    public void Submitted(Generation generation)
    {
        _generation = generation;
        if (_text is not null) generation.Observer = _text.Add;
    }

    /// <summary>The engine has taken it.</summary>
    public void Submitted(RunningScores running) => _running = running;

    /// <summary>Its response is complete.</summary>
    /// <param name="responseId">The response's id.</param>
    /// <param name="reasons">Each choice's finish reason.</param>
    public void Completed(string responseId, IEnumerable<FinishReason> reasons)
    {
        _isCompleted = true;
        span?.SetTag("gen_ai.response.id", responseId);
        span?.SetTag("gen_ai.response.finish_reasons", reasons.Select(FinishReasons.Format).ToArray());
    }

    /// <summary>It failed or was refused; the first fault counts.</summary>
    public void Failed(Exception fault) => _error ??= fault.GetType().Name;

    /// <summary>All is over: records it.</summary>
    public void End()
    {
        if (_error is not null) metrics.Errors.Add(1, new KeyValuePair<string, object?>("error.type", _error));
        if (_labels is { } labels) Measure(labels);
        if (span is not null) EndSpan(span);
    }

    private void Measure(AlignmentStrengths strengths, ServedNames names)
    {
        for (var i = 0; i < names.Aligned.Count; i++)
            metrics.Strength.Record(strengths[i], new("model_name", names.Pair), new("aligned_model", names.Aligned[i]));
    }

    private void Measure(TagList labels)
    {
        var finished = labels;
        if (_error is not null) finished.Add("error.type", _error);
        metrics.Duration.Record(Elapsed.TotalSeconds, finished);
        if (_running is { } running) Tokens("input", running.Prepared.TokenCount);
        if (_generation is not { } generation) return;
        Tokens("input", generation.Request.PromptTokens);
        Tokens("output", generation.CompletionTokens);
        var times = generation.Times;
        if (_error is not null || !_isCompleted || FirstToken is not { } first || times.Decode is not { } decode) return;
        metrics.FirstToken.Record(first.TotalSeconds, labels);
        // Sequences generate side by side: each of them has one token less than intervals between tokens.
        var (sequences, tokens) = (generation.Request.Choices.Count, generation.CompletionTokens);
        if (tokens > sequences) metrics.TokenTime.Record(decode.TotalSeconds * sequences / (tokens - sequences), labels);

        void Tokens(string kind, long count)
        {
            var tagged = labels;
            tagged.Add("gen_ai.token.type", kind);
            metrics.TokenUsage.Record(count, tagged);
        }
    }

    private void EndSpan(Activity ended)
    {
        // Probes, scrapes and listings would drown the requests that somebody looks for.
        if (_labels is null && _error is null) ended.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        if (_error is not null) ended.SetTag("error.type", _error).SetStatus(ActivityStatusCode.Error);
        if (CachedTokens is { } cached) ended.SetTag("gen_ai.usage.cache_read.input_tokens", cached);
        if (_running is { } running) RequestSpan.AddPhases(ended, running.SubmittedAt, running.Times);
        if (_generation is not { } generation) return;
        ended.SetTag("gen_ai.usage.output_tokens", generation.CompletionTokens);
        _text?.AddTo(ended);
        RequestSpan.AddPhases(ended, generation.SubmittedAt, generation.Times);
    }
}
