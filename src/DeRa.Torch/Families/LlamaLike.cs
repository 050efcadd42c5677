using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>What Llama and its relatives share: field names, modules, and a gated feed-forward layer.</summary>
internal static class LlamaLike
{
    /// <summary>Reads the common fields; biases and windows are each family's own.</summary>
    public static ModelConfig Read(
        ConfigFields fields, ModelFamily family, bool needsKeyValueHeads = true, int? defaultHeadDimension = null,
        bool defaultTied = false, string activation = "hidden_act", string defaultActivation = "silu")
    {
        var hiddenSize = fields.Integer("hidden_size", 1, ConfigLimits.MaxWidth);
        var layers = fields.Integer("num_hidden_layers", 1, ConfigLimits.MaxLayers);
        var heads = HeadFields.Read(fields, hiddenSize, needsKeyValueHeads, defaultHeadDimension);
        var rotary = ReadRotary(fields);
        return new ModelConfig
        {
            Family = family,
            VocabularySize = fields.Integer("vocab_size", 1, ConfigLimits.MaxVocabulary),
            HiddenSize = hiddenSize,
            IntermediateSize = fields.Integer("intermediate_size", 1, ConfigLimits.MaxWidth),
            LayerCount = layers,
            HeadCount = heads.Heads,
            KeyValueHeadCount = heads.KeyValueHeads,
            HeadDimension = heads.Dimension,
            ContextTokens = rotary.ContextTokens,
            NormEpsilon = fields.Number("rms_norm_eps", above: 0),
            RotaryDimension = heads.Dimension,
            RotaryBase = rotary.Base,
            RotaryScaling = rotary.Scaling,
            Activation = ActivationFields.Read(fields, activation, defaultActivation),
            QueryKeyValueBias = false,
            AttentionOutputBias = false,
            FeedForwardBias = false,
            TiedEmbeddings = fields.Flag("tie_word_embeddings", defaultTied),
            WindowTokens = new int?[layers],
        };
    }

    /// <summary>
    /// The first converted Llama models have <c>max_sequence_length</c> instead of <c>max_position_embeddings</c>; where they and
    /// others repeat it, that may be the context before or after scaling.
    /// </summary>
    private static RotaryFields ReadRotary(ConfigFields fields)
    {
        const string name = "max_position_embeddings";
        string[] copies = ["max_sequence_length", "seq_length"];
        var positions = fields.OptionalInteger(name, 1, ConfigLimits.MaxContextTokens)
            ?? fields.OptionalInteger(copies[0], 1, ConfigLimits.MaxContextTokens)
            ?? fields.Integer(name, 1, ConfigLimits.MaxContextTokens);
        var rotary = new RotaryFields(fields, positions);
        foreach (var copy in copies)
            if (fields.OptionalInteger(copy, 1, ConfigLimits.MaxContextTokens) is { } tokens && tokens != rotary.ContextTokens)
                fields.Agreed((name, positions), (copy, tokens));
        return rotary;
    }

    /// <summary>Llama's modules.</summary>
    public static DecoderLayout Layout(ModelConfig config) => new()
    {
        Prefix = "model.",
        EmbeddingModule = "embed_tokens",
        LayersModule = "layers",
        FinalNormModule = "norm",
        OutputModule = "lm_head",
        Layer = LayerLayout(config),
    };

    private static LayerLayout LayerLayout(ModelConfig config)
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
        };
    }
}
