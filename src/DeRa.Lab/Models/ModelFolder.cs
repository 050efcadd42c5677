using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Text.Loading;
using DeRa.Torch.Configuration;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>Writes a model in Hugging Face layout: configuration, weights, and the tokenizer's files beside them.</summary>
internal static class ModelFolder
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly string[] TokenizerFiles =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model"];

    /// <summary>Writes everything that serving needs.</summary>
    /// <param name="folder">Created if missing.</param>
    /// <param name="model">The weights and their shape.</param>
    /// <param name="tokenizerFolder">Where the tokenizer's files are; may be <paramref name="folder"/> itself.</param>
    /// <param name="type">Element type of the stored weights.</param>
    public static void Write(string folder, TrainableDecoder model, string tokenizerFolder, ScalarType type)
    {
        Directory.CreateDirectory(folder);
        var (begin, end) = (BeginToken(tokenizerFolder), EndToken(tokenizerFolder));
        WriteJson(Path.Combine(folder, "config.json"), Config(model.Config, begin, end, type));
        WriteJson(Path.Combine(folder, "generation_config.json"), new() { ["bos_token_id"] = begin, ["eos_token_id"] = end });
        CopyTokenizer(tokenizerFolder, folder);
        WriteWeights(Path.Combine(folder, "model.safetensors"), model, type);
    }

    /// <summary>Writes the weights alone.</summary>
    public static void WriteWeights(string path, TrainableDecoder model, ScalarType type) => SafetensorsWriter.Write(
        path, [.. model.Weights.Select(weight => new KeyValuePair<string, Tensor>(weight.Key, weight.Value))], type);

    /// <summary>The token that ends a text, as the folder's tokenizer and generation settings say.</summary>
    /// <exception cref="CheckpointException">None is named.</exception>
    public static int EndToken(string folder)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        var ends = GenerationConfig.Load(folder, tokenizer).EndTokens;
        return ends.Count > 0 ? ends.Min() : throw new CheckpointException(folder, "no end-of-sequence token is named");
    }

    /// <summary>What the tokenizer puts before a text; null where that is nothing.</summary>
    private static int? BeginToken(string folder) => TokenizerLoader.Load(folder).Encode("") is [var begin, ..] ? begin : null;

    private static void CopyTokenizer(string from, string to)
    {
        if (Path.GetFullPath(from) == Path.GetFullPath(to)) return;
        foreach (var name in TokenizerFiles.Where(name => File.Exists(Path.Combine(from, name))))
            File.Copy(Path.Combine(from, name), Path.Combine(to, name), overwrite: true);
    }

    private static JsonObject Config(ModelConfig config, int? begin, int end, ScalarType type) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["torch_dtype"] = type switch { ScalarType.BFloat16 => "bfloat16", ScalarType.Float16 => "float16", _ => "float32" },
        ["bos_token_id"] = begin,
        ["eos_token_id"] = end,
        ["hidden_act"] = "silu",
        ["hidden_size"] = config.HiddenSize,
        ["intermediate_size"] = config.IntermediateSize,
        ["num_hidden_layers"] = config.LayerCount,
        ["num_attention_heads"] = config.HeadCount,
        ["num_key_value_heads"] = config.KeyValueHeadCount,
        ["head_dim"] = config.HeadDimension,
        ["vocab_size"] = config.VocabularySize,
        ["max_position_embeddings"] = UnscaledContext(config),
        ["rms_norm_eps"] = config.NormEpsilon,
        ["rope_theta"] = config.RotaryBase,
        ["rope_scaling"] = Scaling(config.RotaryScaling),
        ["attention_bias"] = false,
        ["mlp_bias"] = false,
        ["tie_word_embeddings"] = config.TiedEmbeddings,
    };

    /// <summary>The context in the file, which linear scaling stretches.</summary>
    private static int UnscaledContext(ModelConfig config) =>
        config.RotaryScaling is RotaryScaling.Linear linear ? (int)Math.Round(config.ContextTokens / linear.Factor) : config.ContextTokens;

    private static JsonObject? Scaling(RotaryScaling? scaling) => scaling switch
    {
        RotaryScaling.Linear linear => new() { ["rope_type"] = "linear", ["factor"] = linear.Factor },
        RotaryScaling.Llama3 llama3 => new()
        {
            ["rope_type"] = "llama3",
            ["factor"] = llama3.Factor,
            ["low_freq_factor"] = llama3.LowFrequencyFactor,
            ["high_freq_factor"] = llama3.HighFrequencyFactor,
            ["original_max_position_embeddings"] = llama3.OriginalContextTokens,
        },
        _ => null,
    };

    private static void WriteJson(string path, JsonObject json) => File.WriteAllText(path, json.ToJsonString(Indented) + "\n");
}
