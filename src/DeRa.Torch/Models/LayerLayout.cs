namespace DeRa.Torch.Models;

/// <summary>The modules of a decoder layer, by their names in it.</summary>
internal sealed record LayerLayout
{
    /// <summary>The norm before attention.</summary>
    public required string AttentionNorm { get; init; }

    /// <summary>[(heads + 2 · keyValueHeads) · headDimension, hidden]: queries, keys, values.</summary>
    public required LinearLayout QueryKeyValue { get; init; }

    /// <summary>[hidden, heads · headDimension].</summary>
    public required LinearLayout AttentionOutput { get; init; }

    /// <summary>The norm before the feed-forward layer.</summary>
    public required string FeedForwardNorm { get; init; }

    /// <summary>[2 · intermediate, hidden]: gate, then up.</summary>
    public required LinearLayout FeedForwardInput { get; init; }

    /// <summary>[hidden, intermediate].</summary>
    public required LinearLayout FeedForwardOutput { get; init; }

    /// <summary>Tensors of old exports that the configuration determines: they are not read.</summary>
    public IReadOnlyList<string> Leftovers { get; init; } = [];

    /// <summary>Every weight that is multiplied with.</summary>
    public IReadOnlyList<LinearLayout> Linears => [QueryKeyValue, AttentionOutput, FeedForwardInput, FeedForwardOutput];

    /// <summary>Llama's modules.</summary>
    public static LayerLayout Llama(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = config.HeadCount * (long)config.HeadDimension, keys = config.KeyValueHeadCount * (long)config.HeadDimension;
        return new LayerLayout
        {
            AttentionNorm = "input_layernorm",
            QueryKeyValue = new LinearLayout(hidden, config.QueryKeyValueBias, new LinearPart("self_attn.q_proj", queries),
                new LinearPart("self_attn.k_proj", keys), new LinearPart("self_attn.v_proj", keys)),
            AttentionOutput = new LinearLayout(queries, config.AttentionOutputBias, new LinearPart("self_attn.o_proj", hidden)),
            FeedForwardNorm = "post_attention_layernorm",
            FeedForwardInput = new LinearLayout(hidden, config.FeedForwardBias,
                new LinearPart("mlp.gate_proj", intermediate), new LinearPart("mlp.up_proj", intermediate)),
            FeedForwardOutput = new LinearLayout(intermediate, config.FeedForwardBias, new LinearPart("mlp.down_proj", hidden)),
            Leftovers = ["self_attn.rotary_emb.inv_freq"],
        };
    }
}
