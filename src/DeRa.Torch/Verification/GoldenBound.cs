using DeRa.Torch.Configuration;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Verification;

/// <summary>How far logits may differ from exact ones.</summary>
internal static class GoldenBound
{
    /// <summary>For float32, absolute: five times the difference of NumPy and Hugging Face in float32 on these checkpoints.</summary>
    public const double Float32 = 1e-4;

    /// <summary>
    /// Roundings to the element type on the way through a layer: norm, query-key-value, rotation (with the norms of heads),
    /// attention weights, attention output, output projection, residual sum; norm, gate and up, activation, product, down
    /// projection, residual sum. Layers without a gate have one less, parallel ones as many.
    /// </summary>
    private const int RoundingsPerLayer = 13;

    /// <summary>The norms of attention's and the feed-forward layer's outputs.</summary>
    private const int OutputNormsPerLayer = 2;

    /// <summary>The four fused weight matrices of a layer with their biases, if the checkpoint's are wider than the element type.</summary>
    private const int WeightsPerLayer = 4;

    /// <summary>Keys and values, where the cache's type is narrower than float32.</summary>
    private const int CacheRoundingsPerLayer = 2;

    /// <summary>The embedding, the final norm, the output layer's weights and its result.</summary>
    private const int RoundingsOutside = 4;

    /// <summary>The table of learned positions and its sum with the embedding; or the scale and the scaled embedding.</summary>
    private const int RoundingsOfPositions = 2, RoundingsOfScale = 2;

    /// <summary>Standard deviations allowed: over 10⁵ logits, a normal error passes six with probability 2·10⁻⁴.</summary>
    private const double Deviations = 6;

    /// <summary>
    /// The bound for a model. First-order analysis for 16-bit types with unit roundoff u (2⁻⁸ for bfloat16, 2⁻¹¹ for float16):
    /// every rounding adds an error of at most u relative to what is rounded, which is a part of the residual stream, so n
    /// independent ones leave the final state h with a relative error of at most u·sqrt(n), n = (13 + 4) · layers + 4, plus the
    /// family's extra ones; keys and values of a narrower cache are two more a layer, with its u. An error e
    /// in h moves logit v by w_v·e: for e of random direction a normal number of deviation |w_v|·|e|/sqrt(hidden), and
    /// |h| ≤ sqrt(hidden)·(max|g| + max|b|) after the final norm with weights g (folded offsets included) and biases b, root
    /// mean square or layer norm alike. So the deviation is at most u·sqrt(n)·max_v|w_v|·(max|g| + max|b|); six of them are
    /// allowed, and what float32 may differ by. Soft caps have slopes of at most 1, and those layers' attention is in float32:
    /// they add nothing. What this leaves out is how later layers amplify an earlier error, which the six deviations cover.
    /// </summary>
    public static double For(DecoderModel model)
    {
        var variance = (IsExact(model) ? 0 : Squared(Roundoff(model.WeightType)) * Roundings(model.Config))
            + (IsCacheExact(model) ? 0 : Squared(Roundoff(model.Cache.Type)) * CacheRoundingsPerLayer * model.Config.LayerCount);
        if (variance == 0) return Float32;
        using var scope = NewDisposeScope();
        var rows = Arithmetic.Range(0, model.Config.VocabularySize, ScalarType.Int64, model.Device);
        var output = model.Output.Weight.Rows(rows).to(ScalarType.Float32);
        var widestRow = (output * output).sum(1).max().sqrt().cpu().item<float>();
        var largestGain = Largest(model.FinalNorm.Weight) + (model.FinalNorm.Bias is { } bias ? Largest(bias) : 0);
        return Float32 + Deviations * Math.Sqrt(variance) * widestRow * largestGain;
    }

    /// <summary>Whether the model computes in float32 with the checkpoint's own weights.</summary>
    private static bool IsExact(DecoderModel model) => model.ActivationType == ScalarType.Float32
        && (model.WeightType == ScalarType.Float32 || model.WeightType == model.Config.ElementType);

    /// <summary>Whether the cache rounds nothing, or no more than the activations, whose roundings are counted.</summary>
    private static bool IsCacheExact(DecoderModel model) => model.Cache.Type == model.ActivationType;

    private static double Roundoff(ScalarType type) => type == ScalarType.BFloat16 ? Math.ScaleB(1, -8) : Math.ScaleB(1, -11);

    private static double Squared(double number) => number * number;

    private static int Roundings(ModelConfig config)
    {
        var perLayer = RoundingsPerLayer + WeightsPerLayer + (config.HasOutputNorms ? OutputNormsPerLayer : 0);
        var outside = RoundingsOutside
            + (config.RotaryDimension == 0 ? RoundingsOfPositions : 0) + (config.EmbeddingScale != 1 ? RoundingsOfScale : 0);
        return perLayer * config.LayerCount + outside;
    }

    private static double Largest(Tensor values) => values.abs().max().cpu().item<float>();
}
