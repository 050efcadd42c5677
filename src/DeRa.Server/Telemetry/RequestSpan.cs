using System.Diagnostics;
using DeRa.Engine.Requests;
using DeRa.Engine.Streaming;
using DeRa.Engine.Telemetry;

namespace DeRa.Server.Telemetry;

/// <summary>
/// The span of one request, named and labelled as OpenTelemetry's conventions for generative AI ask. Prompts and answers are
/// never part of it.
/// </summary>
internal static class RequestSpan
{
    /// <summary>Starts the span; null where nobody listens.</summary>
    /// <param name="operation"><c>chat</c> or <c>text_completion</c>.</param>
    /// <param name="input">What was asked for.</param>
    /// <param name="request">The same, checked.</param>
    /// <param name="stream">Whether the answer is streamed.</param>
    public static Activity? Start(string operation, GenerationInput input, PreparedRequest request, bool stream)
    {
        var span = EngineTelemetry.Source.StartActivity($"{operation} {request.Model}", ActivityKind.Server);
        if (span is null) return null;
        var first = request.Choices[0].Request;
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.provider.name", "dera");
        span.SetTag("gen_ai.request.model", input.Model ?? request.Model);
        span.SetTag("gen_ai.response.model", request.Model);
        span.SetTag("gen_ai.request.choice.count", input.N ?? 1);
        span.SetTag("gen_ai.request.seed", request.Seed);
        span.SetTag("gen_ai.request.stream", stream);
        span.SetTag("gen_ai.request.max_tokens", first.MaxTokens);
        span.SetTag("gen_ai.request.temperature", (double)first.Sampling.Temperature);
        span.SetTag("gen_ai.request.top_k", first.Sampling.TopK);
        span.SetTag("gen_ai.request.top_p", (double)first.Sampling.TopP);
        span.SetTag("gen_ai.request.frequency_penalty", (double)first.Sampling.FrequencyPenalty);
        span.SetTag("gen_ai.request.presence_penalty", (double)first.Sampling.PresencePenalty);
        span.SetTag("gen_ai.usage.input_tokens", request.PromptTokens);
        var strengths = request.Strengths;
        if (strengths.Count <= 1) span.SetTag("dera.alignment_strength", strengths[0]);
        else span.SetTag("dera.alignment_strengths", Enumerable.Range(0, strengths.Count).Select(i => strengths[i]).ToArray());
        return span;
    }

    /// <summary>Adds what is known at the end of an answer.</summary>
    /// <param name="span">The span, if any.</param>
    /// <param name="responseId">The answer's id.</param>
    /// <param name="generation">What ran.</param>
    /// <param name="reasons">Each choice's finish reason as the wire spells it.</param>
    public static void Complete(Activity? span, string responseId, Generation generation, IEnumerable<string> reasons)
    {
        if (span is null) return;
        span.SetTag("gen_ai.response.id", responseId);
        span.SetTag("gen_ai.response.finish_reasons", reasons.ToArray());
        span.SetTag("gen_ai.usage.output_tokens", generation.CompletionTokens);
    }

    /// <summary>Marks the span as failed.</summary>
    /// <param name="span">The span, if any.</param>
    /// <param name="fault">What went wrong.</param>
    public static void Fail(Activity? span, Exception fault)
    {
        span?.SetTag("error.type", fault.GetType().Name);
        span?.SetStatus(ActivityStatusCode.Error);
    }
}
