using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>
/// Gemma 2 (arXiv 2408.00118): Llama with capped scores and logits, norms before and after attention and feed-forward layer,
/// scaled embeddings, and a window in every other layer.
/// </summary>
internal sealed class Gemma2 : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Gemma2;

    /// <inheritdoc/>
    public override string ClassName => "Gemma2ForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "gemma2";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        CheckRepeated(fields);
        var attentionBias = fields.Flag("attention_bias", defaultValue: false);
        var config = LlamaLike.Read(fields, Family, defaultHeadDimension: 256, defaultTied: true,
            activation: "hidden_activation", defaultActivation: "gelu_pytorch_tanh");
        return config with
        {
            EmbeddingScale = Math.Sqrt(config.HiddenSize),
            HasOutputNorms = true,
            AttentionScale = 1 / Math.Sqrt(fields.OptionalNumber("query_pre_attn_scalar", above: 0) ?? 256),
            AttentionSoftCap = ReadCap(fields, "attn_logit_softcapping", defaultValue: 50),
            FinalSoftCap = ReadCap(fields, "final_logit_softcapping", defaultValue: 30),
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            WindowTokens = WindowFields.ReadAlternating(fields, config.LayerCount),
        };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config)
    {
        var layout = LlamaLike.Layout(config);
        return layout with
        {
            NormOffset = 1,
            Layer = layout.Layer with
            {
                AttentionOutputNorm = "post_attention_layernorm",
                FeedForwardNorm = "pre_feedforward_layernorm",
                FeedForwardOutputNorm = "post_feedforward_layernorm",
            },
        };
    }

    /// <summary>Null disables a cap; an absent field does not.</summary>
    private static double? ReadCap(ConfigFields fields, string name, double defaultValue) =>
        fields.IsPresent(name) ? fields.OptionalNumber(name, above: 0) : defaultValue;

    /// <summary>Published files repeat two settings under names that Hugging Face does not read.</summary>
    private static void CheckRepeated(ConfigFields fields)
    {
        fields.Agreed(("hidden_act", fields.String("hidden_act")), ("hidden_activation", fields.String("hidden_activation")));
        var (size, window) = (fields.OptionalInteger("sliding_window_size", 1, ConfigLimits.MaxContextTokens),
            fields.OptionalInteger("sliding_window", 1, ConfigLimits.MaxContextTokens));
        if (size is not null && size != window) throw fields.Invalid("sliding_window_size", $"is {size}, but 'sliding_window' is {window}");
    }
}
