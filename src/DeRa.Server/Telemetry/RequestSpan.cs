using System.Diagnostics;
using DeRa.Engine.Telemetry;
using DeRa.Server.Responses;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Telemetry;

/// <summary>Names and labels the span of a request as OpenTelemetry's conventions for generative AI ask, and adds its phases.</summary>
internal static class RequestSpan
{
    /// <summary>Adds what was asked for.</summary>
    /// <param name="span">The span that ASP.NET Core made.</param>
    /// <param name="operation"><c>chat</c> or <c>text_completion</c>.</param>
    /// <param name="input">What was asked for.</param>
    /// <param name="request">The same, checked.</param>
    /// <param name="aligned">The names of the aligned models.</param>
    public static void Describe(
        Activity span, string operation, GenerationInput input, PreparedRequest request, IReadOnlyList<string> aligned)
    {
        var first = request.Choices[0].Request;
        Name(span, operation, request.Model, aligned);
        span.SetTag("gen_ai.request.choice.count", request.Returned * request.StrengthCount);
        span.SetTag("gen_ai.request.seed", request.Seed);
        span.SetTag("gen_ai.request.stream", input.Stream);
        span.SetTag("gen_ai.request.max_tokens", first.MaxTokens);
        span.SetTag("gen_ai.request.temperature", (double)first.Sampling.Temperature);
        span.SetTag("gen_ai.request.top_k", first.Sampling.TopK);
        span.SetTag("gen_ai.request.top_p", (double)first.Sampling.TopP);
        span.SetTag("gen_ai.request.frequency_penalty", (double)first.Sampling.FrequencyPenalty);
        span.SetTag("gen_ai.request.presence_penalty", (double)first.Sampling.PresencePenalty);
        if (input.Stop is { Count: > 0 } stop) span.SetTag("gen_ai.request.stop_sequences", stop.ToArray());
        span.SetTag("gen_ai.usage.input_tokens", request.PromptTokens);
        var strengths = request.Strengths;
        if (request.Sweep is { } sweep) span.SetTag("dera.alignment_sweep", sweep.ToArray());
        else if (request.Schedule is { } schedule) span.SetTag("dera.alignment_schedule", ScheduleText.Of(schedule));
        else if (strengths.Count <= 1) span.SetTag("dera.alignment_strength", strengths[0]);
        else span.SetTag("dera.alignment_strengths", Enumerable.Range(0, strengths.Count).Select(i => strengths[i]).ToArray());
    }

    /// <summary>The same of a request that scores.</summary>
    /// <param name="span">The span that ASP.NET Core made.</param>
    /// <param name="operation"><c>score</c>.</param>
    /// <param name="prepared">What was asked for, checked.</param>
    /// <param name="aligned">The names of the aligned models.</param>
    public static void Describe(Activity span, string operation, PreparedScores prepared, IReadOnlyList<string> aligned)
    {
        Name(span, operation, prepared.Model, aligned);
        span.SetTag("gen_ai.usage.input_tokens", prepared.TokenCount);
        span.SetTag("dera.score.items", prepared.Items.Count);
        span.SetTag("dera.score.strengths", prepared.Strengths.Count);
        span.SetTag("dera.score.tokens", prepared.ScoredTokenCount);
    }

    /// <summary>Adds a span for each phase that the request reached.</summary>
    /// <param name="span">The request's span.</param>
    /// <param name="submittedAt">When the first phase began.</param>
    /// <param name="times">How long each took.</param>
    public static void AddPhases(Activity span, DateTimeOffset submittedAt, GenerationTimes times)
    {
        var at = submittedAt;
        (string Name, TimeSpan? Length)[] phases = [("queue", times.Queue), ("prefill", times.Prefill), ("decode", times.Decode)];
        foreach (var (name, length) in phases)
        {
            if (length is not { } took) return;
            using var phase = EngineTelemetry.Source.StartActivity(name, ActivityKind.Internal, span.Context, startTime: at);
            phase?.SetEndTime((at + took).UtcDateTime);
            at += took;
        }
    }

    private static void Name(Activity span, string operation, string model, IReadOnlyList<string> aligned)
    {
        span.DisplayName = $"{operation} {model}";
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.provider.name", "dera");
        span.SetTag("gen_ai.request.model", model);
        span.SetTag("gen_ai.response.model", model);
        span.SetTag("dera.models", (string[])["reference", .. aligned]);
    }
}
