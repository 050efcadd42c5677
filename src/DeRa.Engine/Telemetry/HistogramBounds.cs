namespace DeRa.Engine.Telemetry;

/// <summary>The upper bounds of histograms' buckets. Dashboards and routers were made for exactly these.</summary>
internal static class HistogramBounds
{
    /// <summary>Of <c>vllm:time_to_first_token_seconds</c>.</summary>
    public static IReadOnlyList<double> FirstToken { get; } =
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    /// <summary>Of <c>vllm:inter_token_latency_seconds</c>.</summary>
    public static IReadOnlyList<double> InterToken { get; } =
        [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    /// <summary>Of the times of whole requests and of their phases.</summary>
    public static IReadOnlyList<double> Request { get; } =
        [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    /// <summary>Of the parts of a step, which take from microseconds (tiny models) to seconds (a long prompt on a CPU).</summary>
    public static IReadOnlyList<double> Step { get; } =
        [.0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10];

    /// <summary>Of the tokens of a step: powers of two.</summary>
    public static IReadOnlyList<int> StepTokens { get; } = [.. Enumerable.Range(0, 15).Select(power => 1 << power)];

    /// <summary>Of passes a token: 1 where one model runs, as many as there are where all do, less where guesses are right.</summary>
    public static IReadOnlyList<double> PassesPerToken { get; } = [.25, .5, .75, 1, 1.05, 1.1, 1.2, 1.3, 1.5, 1.75, 2, 2.5, 3, 4];

    /// <summary>Of the mixture's distance from the reference model, in nats.</summary>
    public static IReadOnlyList<double> Divergence { get; } = [.001, .003, .01, .03, .1, .3, 1, 3, 10, 30];
}
