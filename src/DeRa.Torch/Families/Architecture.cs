using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>One architecture by Hugging Face's names: what its <c>config.json</c> means and how its tensors are named.</summary>
internal abstract class Architecture
{
    /// <summary>Prefixes of the FSDP, TensorFlow and Flax versions of a class; files with the same weights name those too.</summary>
    private static readonly string[] Prefixes = ["FSDP", "TF", "Flax"];

    /// <summary>Every architecture that the decoder implements.</summary>
    public static IReadOnlyList<Architecture> All { get; } =
        [new Llama(), new Mistral(), new Qwen2(), new Qwen3(), new Gemma2(), new Gpt2(), new GptNeoX()];

    /// <summary>Its family.</summary>
    public abstract ModelFamily Family { get; }

    /// <summary>Its class, such as <c>LlamaForCausalLM</c>.</summary>
    public abstract string ClassName { get; }

    /// <summary>What the first files of its kind call that class.</summary>
    public virtual string? OldClassName => null;

    /// <summary>Its <c>model_type</c>.</summary>
    public abstract string ModelType { get; }

    /// <summary>How a checkpoint with that configuration is laid out, by its family.</summary>
    public static DecoderLayout LayoutOf(ModelConfig config) =>
        All.Single(architecture => architecture.Family == config.Family).Layout(config);

    /// <summary>The architecture that <c>architectures</c> and <c>model_type</c> name.</summary>
    /// <exception cref="Weights.CheckpointException">They name none, one that is not implemented, or several.</exception>
    public static Architecture Of(ConfigFields fields)
    {
        var classes = fields.Strings("architectures") ?? [];
        var modelType = fields.String("model_type");
        var named = classes.Select(Named).ToList();
        if (modelType is not null) named.Add(All.FirstOrDefault(architecture => architecture.ModelType == modelType));
        return named.Distinct().ToList() is [{ } architecture]
            ? architecture
            : throw fields.Invalid("architectures", $"is [{string.Join(", ", classes)}] with model_type '{modelType}', which is not "
                + $"supported (supported: {string.Join(", ", All.Select(known => known.ClassName))})");
    }

    private static Architecture? Named(string className)
    {
        var name = className[(Array.Find(Prefixes, prefix => className.StartsWith(prefix, StringComparison.Ordinal)) ?? "").Length..];
        return All.FirstOrDefault(architecture => architecture.ClassName == name || architecture.OldClassName == name);
    }

    /// <summary>What a configuration means. Fields that are not read are refused by the caller.</summary>
    /// <exception cref="Weights.CheckpointException">A field is missing, out of range or asks for what is not implemented.</exception>
    public abstract ModelConfig Read(ConfigFields fields);

    /// <summary>How a checkpoint with that configuration is laid out.</summary>
    public abstract DecoderLayout Layout(ModelConfig config);
}
