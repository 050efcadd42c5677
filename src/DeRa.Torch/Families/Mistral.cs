using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>Mistral 7B and Nemo (Zephyr): Llama with a window in every layer, or in none.</summary>
internal sealed class Mistral : Architecture
{
    /// <inheritdoc/>
    public override ModelFamily Family => ModelFamily.Mistral;

    /// <inheritdoc/>
    public override string ClassName => "MistralForCausalLM";

    /// <inheritdoc/>
    public override string ModelType => "mistral";

    /// <inheritdoc/>
    public override ModelConfig Read(ConfigFields fields)
    {
        var config = LlamaLike.Read(fields, Family);
        return config with { WindowTokens = WindowFields.ReadSame(fields, config.LayerCount) };
    }

    /// <inheritdoc/>
    public override DecoderLayout Layout(ModelConfig config) => LlamaLike.Layout(config);
}
