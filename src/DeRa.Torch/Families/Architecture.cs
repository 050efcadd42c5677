using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;

namespace DeRa.Torch.Families;

/// <summary>One architecture by Hugging Face's names: what its <c>config.json</c> means and how its tensors are named.</summary>
internal abstract class Architecture
{
    /// <summary>Prefixes of the FSDP, TensorFlow and Flax versions of a class; files with the same weights name those too.</summary>
    private static readonly string[] Prefixes = ["FSDP", "TF", "Flax"];

    /// <summary>The output layer's module in a model for sequence classification.</summary>
    private const string ClassifierOutput = "score";

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
    public static DecoderLayout LayoutOf(ModelConfig config)
    {
        var layout = All.Single(architecture => architecture.Family == config.Family).Layout(config);
        return config.LabelCount is null ? layout : layout with { OutputModule = ClassifierOutput };
    }

    /// <summary>The architecture that <c>architectures</c> and <c>model_type</c> name.</summary>
    /// <param name="fields">A configuration.</param>
    /// <param name="isClassifier">Whether its class must be one for sequence classification, not a language model's.</param>
    /// <exception cref="Weights.CheckpointException">They name none, one that is not implemented, or several.</exception>
    public static Architecture Of(ConfigFields fields, bool isClassifier = false)
    {
        var classes = fields.Strings("architectures") ?? [];
        var modelType = fields.String("model_type");
        var named = classes.Select(name => Named(name, isClassifier)).ToList();
        if (modelType is not null) named.Add(All.FirstOrDefault(architecture => architecture.ModelType == modelType));
        return named.Distinct().ToList() is [{ } architecture] && (classes.Count > 0 || !isClassifier)
            ? architecture
            : throw fields.Invalid("architectures", $"is [{string.Join(", ", classes)}] with model_type '{modelType}', which is not "
                + $"supported (supported: {string.Join(", ", All.Select(known => known.NameOf(isClassifier)).OfType<string>())})");
    }

    private static Architecture? Named(string className, bool isClassifier)
    {
        var name = className[(Array.Find(Prefixes, prefix => className.StartsWith(prefix, StringComparison.Ordinal)) ?? "").Length..];
        return All.FirstOrDefault(architecture => architecture.NameOf(isClassifier) == name
            || (!isClassifier && architecture.OldClassName == name));
    }

    /// <summary>The class, or that for sequence classification of the same family; null where that has another head.</summary>
    private string? NameOf(bool isClassifier)
    {
        const string languageModel = "ForCausalLM";
        if (!isClassifier) return ClassName;
        return ClassName.EndsWith(languageModel, StringComparison.Ordinal)
            ? ClassName[..^languageModel.Length] + "ForSequenceClassification" : null;
    }

    /// <summary>What a configuration means. Fields that are not read are refused by the caller.</summary>
    /// <exception cref="Weights.CheckpointException">A field is missing, out of range or asks for what is not implemented.</exception>
    public abstract ModelConfig Read(ConfigFields fields);

    /// <summary>How a checkpoint with that configuration is laid out.</summary>
    public abstract DecoderLayout Layout(ModelConfig config);
}
