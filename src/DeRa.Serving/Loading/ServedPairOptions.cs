using DeRa.Engine;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;

namespace DeRa.Serving.Loading;

/// <summary>All that is needed to go from folders to a pair that serves.</summary>
public sealed record ServedPairOptions
{
    /// <summary>The names under which the pair and its models are served; of the pair's, 1 to 256 characters.</summary>
    public required ServedNames Names { get; init; }

    /// <summary>Which models, where, and how much cache.</summary>
    public required PairOptions Models { get; init; }

    /// <summary>The KL strength β with which the aligned models were trained, above 0; null = not known.</summary>
    public double? Beta { get; init; }

    /// <summary>How much the engine does at once and lets wait.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>What a request may ask for.</summary>
    public RequestLimits Limits { get; init; } = new();
}
