using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The measures of a sampled token from rows in the host's memory: two passes over the vocabulary for each model, and one for the mixture.
/// </summary>
internal static class CpuMeasures
{
    /// <summary>Measures a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="row">What is wanted; all models' logits are there.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="index">Which row of them.</param>
    /// <param name="mixed">The mixture's logits, padded as in <see cref="CpuVector"/>.</param>
    /// <param name="best">The largest of them, finite.</param>
    /// <param name="own">Scratch, as long.</param>
    /// <param name="candidates">Scratch.</param>
    /// <returns>The measures, or why there are none.</returns>
    public static ReadoutResult Of(
        int token, LogitRow row, CpuLogits logits, int index, float[] mixed, float best, float[] own, CpuCandidates candidates)
    {
        var top = row.Sampling!.Value.Measures!.Value;
        var active = row.Strengths.ActiveModels;
        var vocabularySize = logits.Row(active[0], index).Length;
        var mixture = new CpuLogProbs(mixed, vocabularySize, best, candidates);
        var models = new ModelMeasures[active.Length];
        var logZ = mixture.LogSum;
        for (var model = 0; model < models.Length; model++)
        {
            logits.Row(active[model], index).CopyTo(own);
            var ownBest = CpuVector.Largest(own);
            if (RowFaults.Logits(ownBest) is { } fault) return new ReadoutResult { Error = fault };
            var ofModel = new CpuLogProbs(own, vocabularySize, ownBest, candidates);
            // The weight as it mixed; what weighs nothing adds nothing.
            if (row.Strengths.OfMember(active[model]) is not 0 and var weight) logZ -= (float)weight * ofModel.LogSum;
            models[model] = new ModelMeasures(ofModel.LogProb(token),
                Math.Max(0, CpuLogProbs.Divergence(mixed, best, mixture.LogSum, own, ofModel.LogSum)), ofModel.Top(top));
        }
        return new ReadoutResult
        {
            Measures = new TokenMeasures(token, mixture.LogProb(token), RowWeights.LogZ(row.Strengths, logZ), models)
            {
                Top = mixture.Top(top),
            },
        };
    }
}
