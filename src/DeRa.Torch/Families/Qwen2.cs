using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>Qwen1.5, Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, and optional windows.</summary>
internal sealed class Qwen2 : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Qwen2;

    /// <inheritdoc/>
    public override string ClassName => "Qwen2ForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "qwen2";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        var config = LlamaLike.Read(fields, Family);
        return config with { QueryKeyValueBias = true, WindowTokens = WindowFields.ReadSwitched(fields, config.LayerCount) };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config) => LlamaLike.Layout(config);
}
