using System.Text.Json;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>
/// Reads <c>config.json</c> strictly: what a configuration asks for and the decoder does not implement is refused by name.
/// Defaults of absent fields are those of Hugging Face's configuration classes.
/// </summary>
public static class ModelConfigReader
{
    internal const int MaxContextTokens = 1 << 27;
    internal const int MaxLayers = 1024;
    private const int MaxWidth = 1 << 20;
    private const string SupportedArchitectures = "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM";
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Reads the <c>config.json</c> of a model folder.</summary>
    /// <exception cref="CheckpointException">It is missing, broken, or asks for what is not implemented.</exception>
    public static ModelConfig Load(string folder)
    {
        if (!Directory.Exists(folder)) throw new CheckpointException(folder, "no such folder; a Hugging Face model folder is needed");
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path)) throw new CheckpointException(path, "no such file; a Hugging Face model folder has one");
        try
        {
            return Parse(path, File.ReadAllBytes(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "cannot be read: " + exception.Message, exception);
        }
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="json">UTF-8 JSON.</param>
    /// <exception cref="CheckpointException">It is broken or asks for what is not implemented.</exception>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new CheckpointException(path, "is not a JSON object");
            return Read(new ConfigFields(path, document.RootElement));
        }
        // InvalidOperationException: a text with a lone surrogate is valid JSON but no string.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, "is not valid JSON: " + exception.Message, exception);
        }
    }

    private static ModelConfig Read(ConfigFields fields)
    {
        var family = ReadFamily(fields);
        RefuseOtherMathematics(fields);
        var layers = fields.Integer("num_hidden_layers", 1, MaxLayers);
        var hiddenSize = fields.Integer("hidden_size", 1, MaxWidth);
        var (heads, keyValueHeads, headDimension) = ReadHeads(fields, family, hiddenSize);
        var (rotaryBase, rotaryScaling) = RotaryFields.Read(fields);
        var attentionBias = family == ModelFamily.Llama && fields.Flag("attention_bias", absent: false);
        var config = new ModelConfig
        {
            Family = family,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 24),
            HiddenSize = hiddenSize,
            IntermediateSize = fields.Integer("intermediate_size", 1, MaxWidth),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = keyValueHeads,
            HeadDimension = headDimension,
            ContextTokens = fields.Integer("max_position_embeddings", 1, MaxContextTokens),
            NormEpsilon = fields.Number("rms_norm_eps", above: 0),
            RotaryBase = rotaryBase,
            RotaryScaling = rotaryScaling,
            QueryKeyValueBias = attentionBias || family == ModelFamily.Qwen2,
            AttentionOutputBias = attentionBias,
            FeedForwardBias = family == ModelFamily.Llama && fields.Flag("mlp_bias", absent: false),
            TiedEmbeddings = fields.Flag("tie_word_embeddings", absent: false),
            WindowTokens = WindowFields.Read(fields, family, layers),
            ElementType = ReadElementType(fields),
        };
        fields.RefuseUnread(HarmlessFields.Contains, HarmlessFields.IsNeutral);
        return config;
    }

    private static ModelFamily ReadFamily(ConfigFields fields)
    {
        var architectures = fields.Texts("architectures") ?? [];
        var modelType = fields.Text("model_type");
        var families = architectures.Select(FamilyOfArchitecture).Append(FamilyOfType(modelType))
            .OfType<ModelFamily>().Distinct().ToList();
        var isKnown = architectures.All(name => FamilyOfArchitecture(name) is not null)
            && (modelType is null || FamilyOfType(modelType) is not null);
        return isKnown && families.Count == 1
            ? families[0]
            : throw fields.Wrong("architectures", $"is [{string.Join(", ", architectures)}] with model_type '{modelType}', "
                + $"which is not supported (supported: {SupportedArchitectures})");
    }

    private static ModelFamily? FamilyOfArchitecture(string name) => name switch
    {
        "LlamaForCausalLM" => ModelFamily.Llama,
        "MistralForCausalLM" => ModelFamily.Mistral,
        "Qwen2ForCausalLM" => ModelFamily.Qwen2,
        _ => null,
    };

    private static ModelFamily? FamilyOfType(string? name) => name switch
    {
        "llama" => ModelFamily.Llama,
        "mistral" => ModelFamily.Mistral,
        "qwen2" => ModelFamily.Qwen2,
        _ => null,
    };

    private static void RefuseOtherMathematics(ConfigFields fields)
    {
        if (fields.Has("quantization_config"))
            throw fields.Wrong("quantization_config",
                $"asks for quantised weights, which are not supported (supported: {StoredTypes.Supported})");
        if (fields.Has("auto_map"))
            throw fields.Wrong("auto_map", "asks for the model's own Python code, which is not run; use a checkpoint without it");
        var activation = fields.Text("hidden_act");
        if (activation is not (null or "silu"))
            throw fields.Wrong("hidden_act", $"is '{activation}', which is not supported (supported: silu)");
    }

    private static (int Heads, int KeyValueHeads, int Dimension) ReadHeads(ConfigFields fields, ModelFamily family, int hiddenSize)
    {
        var heads = fields.Integer("num_attention_heads", 1, MaxWidth);
        // Llama files from before grouped-query attention lack the field; in the other families its default is a number of heads.
        var keyValueHeads = family == ModelFamily.Llama
            ? fields.OptionalInteger("num_key_value_heads", 1, MaxWidth) ?? heads
            : fields.Integer("num_key_value_heads", 1, MaxWidth);
        if (heads % keyValueHeads != 0)
            throw fields.Wrong("num_key_value_heads", $"is {keyValueHeads}; it must divide num_attention_heads, {heads}");
        var dimension = fields.OptionalInteger("head_dim", 2, MaxWidth);
        if (dimension is null && hiddenSize % heads != 0)
            throw fields.Wrong("num_attention_heads", $"is {heads}; without 'head_dim' it must divide hidden_size, {hiddenSize}");
        dimension ??= hiddenSize / heads;
        return dimension % 2 == 0
            ? (heads, keyValueHeads, dimension.Value)
            : throw fields.Wrong("head_dim", $"is {dimension}; it must be even for rotary positions");
    }

    private static ScalarType? ReadElementType(ConfigFields fields)
    {
        var (older, newer) = (fields.Text("torch_dtype"), fields.Text("dtype"));
        if (older is not null && newer is not null && older != newer)
            throw fields.Wrong("dtype", $"is '{newer}', but 'torch_dtype' is '{older}'");
        return (newer ?? older) switch
        {
            null => null,
            "float32" => ScalarType.Float32,
            "float16" => ScalarType.Float16,
            "bfloat16" => ScalarType.BFloat16,
            var other => throw fields.Wrong(newer is null ? "torch_dtype" : "dtype",
                $"is '{other}', which is not supported (supported: float32, float16, bfloat16)"),
        };
    }
}
