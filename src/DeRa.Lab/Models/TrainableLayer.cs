using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>One layer of <see cref="TrainableDecoder"/>: attention, then a gated feed-forward layer, each after a norm.</summary>
internal sealed class TrainableLayer
{
    private readonly ModelConfig _config;
    private readonly Parameter _attentionNorm, _query, _key, _value, _attentionOutput, _feedForwardNorm, _gate, _up, _down;

    /// <summary>Takes each weight from <paramref name="weight"/> by its name in a layer and its shape.</summary>
    public TrainableLayer(ModelConfig config, Func<string, long[], Parameter> weight)
    {
        _config = config;
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        long queries = config.HeadCount * (long)config.HeadDimension, keys = config.KeyValueHeadCount * (long)config.HeadDimension;
        _attentionNorm = weight("input_layernorm.weight", [hidden]);
        _query = weight("self_attn.q_proj.weight", [queries, hidden]);
        _key = weight("self_attn.k_proj.weight", [keys, hidden]);
        _value = weight("self_attn.v_proj.weight", [keys, hidden]);
        _attentionOutput = weight("self_attn.o_proj.weight", [hidden, queries]);
        _feedForwardNorm = weight("post_attention_layernorm.weight", [hidden]);
        _gate = weight("mlp.gate_proj.weight", [inner, hidden]);
        _up = weight("mlp.up_proj.weight", [inner, hidden]);
        _down = weight("mlp.down_proj.weight", [hidden, inner]);
    }

    /// <summary>The layer's weights by their names within a layer.</summary>
    public IEnumerable<(string Name, Parameter Weight)> Weights =>
    [
        ("input_layernorm.weight", _attentionNorm), ("self_attn.q_proj.weight", _query), ("self_attn.k_proj.weight", _key),
        ("self_attn.v_proj.weight", _value), ("self_attn.o_proj.weight", _attentionOutput),
        ("post_attention_layernorm.weight", _feedForwardNorm), ("mlp.gate_proj.weight", _gate), ("mlp.up_proj.weight", _up),
        ("mlp.down_proj.weight", _down),
    ];

    /// <summary>The residual stream after this layer.</summary>
    /// <param name="hidden">[rows, tokens, hidden], float32.</param>
    /// <param name="cosine">[tokens, headDimension / 2], of the type in which products are computed.</param>
    /// <param name="sine">[tokens, headDimension / 2], of that type.</param>
    /// <param name="cache">What was read before; null = nothing, the tokens are whole sequences.</param>
    /// <returns>[rows, tokens, hidden], float32.</returns>
    public Tensor Apply(Tensor hidden, Tensor cosine, Tensor sine, DenseCacheLayer? cache)
    {
        var type = cosine.dtype;
        var attended = Attention(Norm(hidden, _attentionNorm, _config.NormEpsilon).to(type), cosine, sine, cache);
        var afterAttention = hidden.Plus(attended);
        return afterAttention.Plus(FeedForward(Norm(afterAttention, _feedForwardNorm, _config.NormEpsilon).to(type)));
    }

    /// <summary>x / √(mean(x²) + ε) · weight (arXiv 1910.07467), by the length of x: one read of it less than by its squares.</summary>
    public static Tensor Norm(Tensor x, Tensor weight, double epsilon)
    {
        var length = x.norm(-1, keepdim: true, 2);
        return x * (length * length).Times(1.0 / x.size(-1)).Plus(epsilon).rsqrt() * weight;
    }

    private Tensor FeedForward(Tensor x)
    {
        var both = Linear(x, cat([_gate, _up], 0)).chunk(2, -1);
        return Linear(nn.functional.silu(both[0]) * both[1], _down);
    }

    private Tensor Attention(Tensor x, Tensor cosine, Tensor sine, DenseCacheLayer? cache)
    {
        var (queries, keys) = (_config.HeadCount, _config.KeyValueHeadCount);
        var heads = Linear(x, cat([_query, _key, _value], 0)).view(x.size(0), x.size(1), -1, _config.HeadDimension).transpose(1, 2);
        var rotated = Rotate(heads.narrow(1, 0, queries + keys), cosine, sine);
        var query = rotated.narrow(1, 0, queries); // [rows, heads, tokens, headDimension]
        var (key, value) = (rotated.narrow(1, queries, keys), heads.narrow(1, queries + keys, keys));
        if (cache is not null) (key, value) = cache.Append(key, value);
        // One token attends to the whole cache; longer pieces are only read into an empty cache.
        var mixed = nn.functional.scaled_dot_product_attention(
            query, Repeat(key), Repeat(value), is_casual: query.size(2) > 1);
        return Linear(mixed.transpose(1, 2).reshape(x.size(0), x.size(1), -1), _attentionOutput);
    }

    /// <summary>x · weightᵀ in x's type.</summary>
    private static Tensor Linear(Tensor x, Tensor weight) => nn.functional.linear(x, weight.to(x.dtype));

    /// <summary>Each key head once for every query head that shares it.</summary>
    private Tensor Repeat(Tensor heads) => _config.HeadCount == _config.KeyValueHeadCount ? heads
        : heads.repeat_interleave(_config.HeadCount / _config.KeyValueHeadCount, 1);

    /// <summary>Rotary positions; dimension i pairs with i + headDimension / 2 (arXiv 2104.09864, Hugging Face's layout).</summary>
    private static Tensor Rotate(Tensor heads, Tensor cosine, Tensor sine)
    {
        var half = heads.size(3) / 2;
        var (first, second) = (heads.narrow(3, 0, half), heads.narrow(3, half, half));
        return cat([first * cosine - second * sine, (second * cosine).Plus(first * sine)], 3);
    }
}
