using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The weights of a mixture in which logits of some models may not be known. Those of such a model o are estimated as h_M + μ_o − μ_M,
/// M the last model whose logits are known and μ the means of <see cref="MeanDifferences"/>, so
/// Σ_known w_m h_m + Σ_unknown w_o (h_M + μ_o − μ_M) is a weighted sum of known logits and of means.
/// </summary>
internal static class RowWeights
{
    /// <summary>What a model's logits weigh: its strength, and for M those of the unknown models too; 0 where they are not known.</summary>
    public static double OfLogits(LogitRow row, int model)
    {
        if (!row.IsKnown(model)) return 0;
        var own = row.Strengths.OfMember(model);
        return row.KnownModels is { } known && known[^1] == model ? own + OfUnknown(row) : own;
    }

    /// <summary>What a model's mean weighs: the strength of an unknown model, less all of these for M; 0 for others.</summary>
    public static double OfMean(LogitRow row, int model)
    {
        if (row.KnownModels is not { } known || !row.Strengths.IsActive(model)) return 0;
        if (!row.IsKnown(model)) return row.Strengths.OfMember(model);
        return known[^1] == model ? -OfUnknown(row) : 0;
    }

    /// <summary>
    /// log Z without what rounding adds: at most 0 where no model weighs less than 0 (Hölder), and 0 where one alone has a weight.
    /// </summary>
    public static double LogZ(AlignmentStrengths strengths, double rounded)
    {
        var weighted = strengths.WeightedModels;
        if (weighted.Length == 1) return 0;
        foreach (var model in weighted)
            if (strengths.OfMember(model) < 0) return rounded;
        return Math.Min(0, rounded);
    }

    private static double OfUnknown(LogitRow row)
    {
        var (sum, active) = (0.0, row.Strengths.ActiveModels);
        for (var i = 0; i < active.Length; i++)
            if (!row.IsKnown(active[i])) sum += row.Strengths.OfMember(active[i]);
        return sum;
    }
}
