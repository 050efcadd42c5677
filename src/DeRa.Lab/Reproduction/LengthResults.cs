using System.Text.Json;
using DeRa.Lab.Evaluation;

namespace DeRa.Lab.Reproduction;

/// <summary>The results of one seed of the length experiment, by strength.</summary>
/// <param name="DeRa">Decoded with the aligned model at λ.</param>
/// <param name="Retrained">Models retrained at β/λ.</param>
/// <param name="Interpolated">Weights (1 − λ)·reference + λ·aligned instead of logits.</param>
/// <param name="Dpo">Decoded with the over-optimised DPO model at λ.</param>
internal sealed record LengthResults(
    SortedDictionary<double, StrengthEvaluation> DeRa,
    SortedDictionary<double, StrengthEvaluation> Retrained,
    SortedDictionary<double, StrengthEvaluation> Interpolated,
    SortedDictionary<double, StrengthEvaluation> Dpo)
{
    /// <summary>How results are stored.</summary>
    public static JsonSerializerOptions Json { get; } = new() { WriteIndented = false };
}
