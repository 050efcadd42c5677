using DeRa.Torch.Caching;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>The weights of one decoder layer, and its mathematics: attention, then a gated feed-forward layer, each after a norm.</summary>
internal sealed class DecoderLayer(ModelConfig config)
{
    /// <summary>[hidden], float32.</summary>
    public required Tensor AttentionNorm { get; init; }

    /// <summary>[(heads + 2 · keyValueHeads) · headDimension, hidden]: queries, keys, values.</summary>
    public required LinearWeight QueryKeyValue { get; init; }

    /// <summary>[hidden, heads · headDimension].</summary>
    public required LinearWeight AttentionOutput { get; init; }

    /// <summary>[hidden], float32.</summary>
    public required Tensor FeedForwardNorm { get; init; }

    /// <summary>[2 · intermediate, hidden]: gate, then up.</summary>
    public required LinearWeight FeedForwardInput { get; init; }

    /// <summary>[hidden, intermediate].</summary>
    public required LinearWeight FeedForwardOutput { get; init; }

    /// <summary>Every tensor of the layer.</summary>
    public IEnumerable<Tensor> Tensors => new[]
    {
        AttentionNorm, QueryKeyValue.Weight, QueryKeyValue.Bias, AttentionOutput.Weight, AttentionOutput.Bias,
        FeedForwardNorm, FeedForwardInput.Weight, FeedForwardInput.Bias,
        FeedForwardOutput.Weight, FeedForwardOutput.Bias,
    }.OfType<Tensor>();

    /// <summary>Adds the layer's two contributions to the residual stream, in place.</summary>
    /// <param name="hidden">[tokens, hidden]: the residual stream.</param>
    /// <param name="angles">The tokens' rotations.</param>
    /// <param name="writeSlots">[tokens], int64: where their keys and values go.</param>
    /// <param name="cache">This layer's cache.</param>
    /// <param name="plan">What each token may see.</param>
    public void AddTo(Tensor hidden, RotaryAngles angles, Tensor writeSlots, LayerCache cache, AttentionPlan plan)
    {
        using var scope = NewDisposeScope();
        var fused = Linear.Apply(RmsNorm.Apply(hidden, AttentionNorm, config.NormEpsilon), QueryKeyValue);
        var heads = fused.view(hidden.size(0), -1, config.HeadDimension); // [tokens, heads + 2 · keyValueHeads, headDimension]
        var query = RotaryCacheWrite.Apply(heads, angles, writeSlots, cache);
        hidden.add_(Linear.Apply(BlockAttention.Apply(query, cache, plan), AttentionOutput));

        var gateUp = Linear.Apply(RmsNorm.Apply(hidden, FeedForwardNorm, config.NormEpsilon), FeedForwardInput);
        hidden.add_(Linear.Apply(GatedActivation.Apply(gateUp), FeedForwardOutput));
    }
}
