using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>GPT-2: learned positions, layer norms, biases everywhere, and weights stored as [inputs, outputs].</summary>
internal sealed class Gpt2 : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Gpt2;

    /// <inheritdoc/>
    public override string ClassName => "GPT2LMHeadModel";

    /// <inheritdoc/>
    public override string ModelType => "gpt2";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        // Hugging Face's class accepts the second names too.
        var hiddenSize = fields.Integer("n_embd", "hidden_size", 1, ConfigLimits.MaxWidth / 4);
        var heads = fields.Integer("n_head", "num_attention_heads", 1, ConfigLimits.MaxWidth);
        var layers = fields.Integer("n_layer", "num_hidden_layers", 1, ConfigLimits.MaxLayers);
        return new ModelConfig
        {
            Family = Family,
            VocabularySize = fields.Integer("vocab_size", "n_vocab", 1, ConfigLimits.MaxVocabulary),
            HiddenSize = hiddenSize,
            IntermediateSize = fields.OptionalInteger("n_inner", 1, ConfigLimits.MaxWidth) ?? 4 * hiddenSize,
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = heads,
            HeadDimension = HeadFields.Share(fields, "n_head", heads, "n_embd", hiddenSize),
            ContextTokens = ReadPositions(fields),
            Norm = NormKind.Layer,
            NormEpsilon = fields.OptionalNumber("layer_norm_epsilon", above: 0) ?? 1e-5,
            RotaryDimension = 0,
            IsGated = false,
            Activation = ActivationFields.Read(fields, "activation_function", defaultValue: "gelu_new"),
            QueryKeyValueBias = true,
            AttentionOutputBias = true,
            FeedForwardBias = true,
            TiedEmbeddings = fields.Flag("tie_word_embeddings", defaultValue: true),
            WindowTokens = new int?[layers],
        };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config) => new()
    {
        Prefix = "transformer.",
        EmbeddingModule = "wte",
        PositionsModule = "wpe",
        LayersModule = "h",
        FinalNormModule = "ln_f",
        OutputModule = "lm_head",
        Layer = new LayerLayout
        {
            AttentionNorm = "ln_1",
            QueryKeyValue = Transposed("attn.c_attn", config.HiddenSize, 3L * config.HiddenSize),
            AttentionOutput = Transposed("attn.c_proj", config.HiddenSize, config.HiddenSize),
            FeedForwardNorm = "ln_2",
            FeedForwardInput = Transposed("mlp.c_fc", config.HiddenSize, config.IntermediateSize),
            FeedForwardOutput = Transposed("mlp.c_proj", config.IntermediateSize, config.HiddenSize),
        },
    };

    /// <summary>Old files repeat the number of positions as <c>n_ctx</c>, the width of a causal mask.</summary>
    private static int ReadPositions(ConfigFields fields)
    {
        const string name = "n_positions", mask = "n_ctx";
        var positions = fields.Integer(name, "max_position_embeddings", 1, ConfigLimits.MaxContextTokens);
        return fields.Agreed((name, positions), (mask, fields.OptionalInteger(mask, 1, ConfigLimits.MaxContextTokens)))!.Value;
    }

    private static LinearLayout Transposed(string module, long inputs, long outputs) =>
        new(inputs, HasBias: true, new LinearPart(module, outputs, IsTransposed: true));
}
