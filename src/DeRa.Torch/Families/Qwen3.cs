using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>Qwen3, dense: Llama with a norm on each query and key head, and Qwen2's windows.</summary>
internal sealed class Qwen3 : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Qwen3;

    /// <inheritdoc/>
    public override string ClassName => "Qwen3ForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "qwen3";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        var attentionBias = fields.Flag("attention_bias", defaultValue: false);
        var config = LlamaLike.Read(fields, Family, defaultHeadDimension: 128);
        return config with
        {
            HasHeadNorms = true,
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            WindowTokens = WindowFields.ReadSwitched(fields, config.LayerCount),
        };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config)
    {
        var layout = LlamaLike.Layout(config);
        return layout with { Layer = layout.Layer with { QueryNorm = "self_attn.q_norm", KeyNorm = "self_attn.k_norm" } };
    }
}
