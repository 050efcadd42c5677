using DeRa.Torch.Caching;
using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>One decoder layer: its weights and computation, attention and a feed-forward layer, each after a norm.</summary>
internal sealed class DecoderLayer(ModelConfig config)
{
    private readonly BlockAttention _attention = new(config.AttentionScale, config.AttentionSoftCap);

    /// <summary>Before attention.</summary>
    public required NormWeight AttentionNorm { get; init; }

    /// <summary>[(heads + 2 · keyValueHeads) · headDimension, hidden]: queries, keys, values.</summary>
    public required LinearWeight QueryKeyValue { get; init; }

    /// <summary>[heads + keyValueHeads, headDimension], float32: the norm of each query and key; null = none.</summary>
    public Tensor? HeadNorm { get; init; }

    /// <summary>[hidden, heads · headDimension].</summary>
    public required LinearWeight AttentionOutput { get; init; }

    /// <summary>On attention's output; null = none.</summary>
    public NormWeight? AttentionOutputNorm { get; init; }

    /// <summary>Before the feed-forward layer.</summary>
    public required NormWeight FeedForwardNorm { get; init; }

    /// <summary>[2 · intermediate, hidden]: gate, then up; not gated [intermediate, hidden].</summary>
    public required LinearWeight FeedForwardInput { get; init; }

    /// <summary>[hidden, intermediate].</summary>
    public required LinearWeight FeedForwardOutput { get; init; }

    /// <summary>On the feed-forward layer's output; null = none.</summary>
    public NormWeight? FeedForwardOutputNorm { get; init; }

    /// <summary>Every weight matrix.</summary>
    public IEnumerable<LinearWeight> Linears => [QueryKeyValue, AttentionOutput, FeedForwardInput, FeedForwardOutput];

    /// <summary>Every tensor of the layer that is not a matrix of <see cref="Linears"/>.</summary>
    public IEnumerable<Tensor> Vectors =>
        new[] { AttentionNorm, AttentionOutputNorm, FeedForwardNorm, FeedForwardOutputNorm }
            .SelectMany(norm => new[] { norm?.Weight, norm?.Bias })
            .Concat(Linears.Select(linear => linear.Bias))
            .Append(HeadNorm).OfType<Tensor>();

    /// <summary>Adds the layer's two contributions to the residual stream, in place.</summary>
    /// <param name="hidden">[tokens, hidden]: the residual stream.</param>
    /// <param name="angles">The tokens' rotations; null = positions are learned.</param>
    /// <param name="step">The tokens.</param>
    /// <param name="windowTokens">How many tokens each may see, itself and those before it; null = all.</param>
    /// <param name="cache">This layer's cache.</param>
    public void AddTo(Tensor hidden, RotaryAngles? angles, ModelStep step, int? windowTokens, LayerCache cache)
    {
        using var scope = NewDisposeScope();
        var attention = Attention(hidden, angles, step, windowTokens, cache);
        if (config.IsParallel) attention.PlusInPlace(FeedForward(hidden, step));
        hidden.PlusInPlace(attention);
        if (!config.IsParallel) hidden.PlusInPlace(FeedForward(hidden, step));
    }

    private Tensor Attention(Tensor hidden, RotaryAngles? angles, ModelStep step, int? windowTokens, LayerCache cache)
    {
        var fused = Linear.Apply(Normalize(hidden, AttentionNorm), QueryKeyValue, step.AdapterTokens);
        var heads = fused.view(hidden.size(0), -1, config.HeadDimension); // [tokens, heads + 2 · keyValueHeads, headDimension]
        var query = RotaryCacheWrite.Apply(heads, HeadNorm, config.NormEpsilon, angles, step.WriteSlots, cache);
        var mixed = _attention.Apply(query, cache, step.PlanFor(windowTokens));
        return Normalize(Linear.Apply(mixed, AttentionOutput, step.AdapterTokens), AttentionOutputNorm);
    }

    private Tensor FeedForward(Tensor hidden, ModelStep step)
    {
        var input = Linear.Apply(Normalize(hidden, FeedForwardNorm), FeedForwardInput, step.AdapterTokens);
        var activated = FeedForwardActivation.Apply(input, config.Activation, config.IsGated);
        return Normalize(Linear.Apply(activated, FeedForwardOutput, step.AdapterTokens), FeedForwardOutputNorm);
    }

    private Tensor Normalize(Tensor vectors, NormWeight? norm) =>
        norm is null ? vectors : Norm.Apply(vectors, norm, config.Norm, config.NormEpsilon);
}
