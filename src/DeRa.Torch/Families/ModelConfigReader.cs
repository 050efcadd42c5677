using DeRa.Torch.Configuration;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Families;

/// <summary>
/// Reads <c>config.json</c> strictly: what a configuration asks for and the decoder does not implement is refused by name.
/// Defaults of absent fields are those of Hugging Face's configuration classes.
/// </summary>
internal static class ModelConfigReader
{
    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CheckpointException">It is missing, broken, or asks for what is not implemented.</exception>
    public static ModelConfig Load(string folder) => Load(folder, isClassifier: false);

    private static ModelConfig Load(string folder, bool isClassifier)
    {
        if (!Directory.Exists(folder)) throw new CheckpointException(folder, "no such folder; a Hugging Face model folder is needed");
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path)) throw new CheckpointException(path, "no such file; a Hugging Face model folder has one");
        return StrictJson.ReadFile(path, config => Read(new ConfigFields(path, config), isClassifier));
    }

    /// <summary>Reads the <c>config.json</c> of a sequence-classification model with one label: a reward model.</summary>
    /// <inheritdoc cref="Load(string)"/>
    public static ModelConfig LoadClassifier(string folder) => Load(folder, isClassifier: true) with
    {
        LabelCount = 1,
        TiedEmbeddings = false,
        FinalSoftCap = null,
    };

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="json">UTF-8 JSON.</param>
    /// <exception cref="CheckpointException">It is broken or asks for what is not implemented.</exception>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json) =>
        StrictJson.Parse(path, json, config => Read(new ConfigFields(path, config)));

    private static ModelConfig Read(ConfigFields fields, bool isClassifier = false)
    {
        var architecture = Architecture.Of(fields, isClassifier);
        RefuseOtherFormats(fields);
        var config = architecture.Read(fields) with { ElementType = ReadElementType(fields) };
        fields.RefuseUnread(IgnoredFields.Contains, IgnoredFields.IsNeutral);
        return config;
    }

    private static void RefuseOtherFormats(ConfigFields fields)
    {
        if (fields.Has("quantization_config"))
            throw fields.Invalid("quantization_config",
                $"asks for quantised weights, which are not supported (supported: {StoredTypes.Supported})");
        if (fields.Has("auto_map"))
            throw fields.Invalid("auto_map", "asks for the model's own Python code, which is not run; use a checkpoint without it");
    }

    private static ScalarType? ReadElementType(ConfigFields fields)
    {
        var (older, newer) = (fields.String("torch_dtype"), fields.String("dtype"));
        return fields.Agreed(("dtype", newer), ("torch_dtype", older)) switch
        {
            null => null,
            "float32" => ScalarType.Float32,
            "float16" => ScalarType.Float16,
            "bfloat16" => ScalarType.BFloat16,
            var other => throw fields.Invalid(newer is null ? "torch_dtype" : "dtype",
                $"is '{other}', which is not supported (supported: float32, float16, bfloat16)"),
        };
    }
}
