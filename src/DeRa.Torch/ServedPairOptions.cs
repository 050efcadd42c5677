using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Torch.Execution;

namespace DeRa.Torch;

/// <summary>All that is needed to go from two folders to a pair that serves.</summary>
public sealed record ServedPairOptions
{
    /// <summary>The name under which the pair is served; 1 to 256 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Which models, where, and how much cache.</summary>
    public required PairOptions Models { get; init; }

    /// <summary>How much the engine does at once and lets wait.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>What a request may ask for.</summary>
    public RequestLimits Limits { get; init; } = new();
}
