using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Decoding;

/// <summary>What is wanted of one row of mixed logits: a sampled token, the score of a known one, or both.</summary>
internal readonly record struct LogitRow
{
    /// <summary>The weight of each model's logits; finite.</summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>
    /// The active models whose logits are known, in ascending order, at least one; null where all are. What is not known is estimated
    /// (<see cref="RowWeights"/>): such a row is a guess, and nothing but its token is read.
    /// </summary>
    public IReadOnlyList<int>? KnownModels { get; init; }

    /// <summary>Whether the differences between its models' logits are added to the means; never so for a guess.</summary>
    public bool UpdatesMeans { get; init; }

    /// <summary>How to sample; null where nothing is sampled.</summary>
    public SamplingRow? Sampling { get; init; }

    /// <summary>The token to score and how many alternatives come with it; null where none is.</summary>
    public (int Token, int Alternatives)? Score { get; init; }

    /// <summary>The token to score at many mixtures of the active models, in place of all else; null where none is.</summary>
    public SweptToken? Sweep { get; init; }

    /// <summary>Whether a model is active and its logits are known.</summary>
    /// <param name="model">0 = the reference, i = the aligned model i − 1.</param>
    public bool IsKnown(int model)
    {
        if (KnownModels is null) return Strengths.IsActive(model);
        for (var i = 0; i < KnownModels.Count; i++)
            if (KnownModels[i] == model) return true;
        return false;
    }
}
