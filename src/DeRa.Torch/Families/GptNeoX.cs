using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>GPT-NeoX and Pythia: layer norms, biases, rotary positions on a share of each head, and usually a parallel residual.</summary>
internal sealed class GptNeoX : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.GptNeoX;

    /// <inheritdoc/>
    public override string ClassName => "GPTNeoXForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "gpt_neox";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        var hiddenSize = fields.Integer("hidden_size", 1, ConfigLimits.MaxWidth);
        var heads = fields.Integer("num_attention_heads", 1, ConfigLimits.MaxWidth);
        var layers = fields.Integer("num_hidden_layers", 1, ConfigLimits.MaxLayers);
        var context = fields.Integer("max_position_embeddings", 1, ConfigLimits.MaxContextTokens);
        var headDimension = HeadFields.Share(fields, "num_attention_heads", heads, "hidden_size", hiddenSize);
        var rotary = new RotaryFields(fields, context, defaultShare: 0.25);
        var attentionBias = fields.Flag("attention_bias", defaultValue: true);
        return new ModelConfig
        {
            Family = Family,
            VocabularySize = fields.Integer("vocab_size", 1, ConfigLimits.MaxVocabulary),
            HiddenSize = hiddenSize,
            IntermediateSize = fields.Integer("intermediate_size", 1, ConfigLimits.MaxWidth),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadDimension = headDimension,
            ContextTokens = rotary.ContextTokens,
            Norm = NormKind.Layer,
            NormEpsilon = fields.OptionalNumber("layer_norm_eps", above: 0) ?? 1e-5,
            RotaryDimension = RotaryDimension(fields, headDimension, rotary.Share),
            RotaryBase = rotary.Base,
            RotaryScaling = rotary.Scaling,
            IsParallel = fields.Flag("use_parallel_residual", defaultValue: true),
            IsGated = false,
            Activation = ActivationFields.Read(fields, "hidden_act", defaultValue: "gelu"),
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            FeedForwardBias = true,
            TiedEmbeddings = fields.Flag("tie_word_embeddings", defaultValue: false),
            WindowTokens = new int?[layers],
        };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        return new DecoderLayout
        {
            Prefix = "gpt_neox.",
            EmbeddingModule = "embed_in",
            LayersModule = "layers",
            FinalNormModule = "final_layer_norm",
            OutputModule = "embed_out",
            Layer = new LayerLayout
            {
                AttentionNorm = "input_layernorm",
                QueryKeyValue = new LinearLayout(hidden, config.QueryKeyValueBias,
                    new LinearPart("attention.query_key_value", 3 * hidden, InterleavedHeads: config.HeadCount)),
                AttentionOutput = new LinearLayout(hidden, config.AttentionOutputBias, new LinearPart("attention.dense", hidden)),
                FeedForwardNorm = "post_attention_layernorm",
                FeedForwardInput = new LinearLayout(hidden, HasBias: true, new LinearPart("mlp.dense_h_to_4h", intermediate)),
                FeedForwardOutput = new LinearLayout(intermediate, HasBias: true, new LinearPart("mlp.dense_4h_to_h", hidden)),
            },
        };
    }

    private static int RotaryDimension(ConfigFields fields, int headDimension, double share)
    {
        var dimension = (int)(headDimension * share);
        return dimension >= 2 && dimension % 2 == 0
            ? dimension
            : throw fields.Invalid("rotary_pct",
                $"rotates {dimension} of {headDimension} dimensions of a head; it must be an even number, at least 2");
    }
}
