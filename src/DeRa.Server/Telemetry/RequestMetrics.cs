using System.Diagnostics;
using System.Diagnostics.Metrics;
using DeRa.Engine.Telemetry;

namespace DeRa.Server.Telemetry;

/// <summary>
/// What is measured of whole requests, under the names of OpenTelemetry's conventions for generative AI. Labels take their
/// values from the configuration and from fixed lists, never from a client.
/// </summary>
internal sealed class RequestMetrics : IDisposable
{
    private readonly Meter _meter = new(EngineTelemetry.Name);

    /// <summary>Makes the instruments.</summary>
    public RequestMetrics()
    {
        Duration = _meter.Histogram("gen_ai.server.request.duration", "s", "Time from a request's arrival to its end",
            [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]);
        FirstToken = _meter.Histogram("gen_ai.server.time_to_first_token", "s", "Time from a request's arrival to its first token",
            [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]);
        TokenTime = _meter.Histogram("gen_ai.server.time_per_output_token", "s", "Time for each token after the first",
            [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5]);
        TokenUsage = _meter.Histogram("gen_ai.client.token.usage", "{token}", "Tokens of a request",
            [.. Enumerable.Range(0, 14).Select(power => 1L << (2 * power))]);
        Strength = _meter.Histogram("dera.request.alignment_strength", "", "Strengths that requests ask for, by aligned model",
            [-1, -.5, 0, .25, .5, .75, 1, 1.5, 2, 3, 5, 10]);
        Errors = _meter.CreateCounter<long>("dera.request.errors", "{request}", "Requests that failed or were refused, by kind");
    }

    /// <summary>Seconds from arrival to end.</summary>
    public Histogram<double> Duration { get; }

    /// <summary>Seconds from arrival to the first token.</summary>
    public Histogram<double> FirstToken { get; }

    /// <summary>Seconds for each later token.</summary>
    public Histogram<double> TokenTime { get; }

    /// <summary>Tokens read and generated.</summary>
    public Histogram<long> TokenUsage { get; }

    /// <summary>Strengths.</summary>
    public Histogram<double> Strength { get; }

    /// <summary>Requests that went wrong.</summary>
    public Counter<long> Errors { get; }

    /// <summary>The labels of a request. The model is the pair, whatever mixture a client named it by.</summary>
    public static TagList Labels(string operation, string pair) =>
    [
        new("gen_ai.operation.name", operation),
        new("gen_ai.provider.name", "dera"),
        new("gen_ai.request.model", pair),
        new("gen_ai.response.model", pair),
    ];

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
