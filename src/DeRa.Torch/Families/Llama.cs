using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>Llama 1 to 3, and other models published in its layout (DeepSeekMath, TinyLlama, …).</summary>
internal sealed class Llama : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Llama;

    /// <inheritdoc/>
    public override string ClassName => "LlamaForCausalLM";

    /// <inheritdoc/>
    public override string OldClassName => "LLaMAForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "llama";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        var attentionBias = fields.Flag("attention_bias", defaultValue: false);
        return LlamaLike.Read(fields, Family, needsKeyValueHeads: false) with
        {
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            FeedForwardBias = fields.Flag("mlp_bias", defaultValue: false),
        };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config) => LlamaLike.Layout(config);
}
