using System.Globalization;
using DeRa.Torch.Configuration;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Gguf;

/// <summary>
/// What llama.cpp's architectures compute, and what they are told of a model. A model that one of them would compute differently is
/// refused; where the difference is small or can be kept out, a note says so.
/// </summary>
/// <param name="config">The configuration.</param>
/// <param name="folder">The model folder, for messages.</param>
internal sealed class GgufArchitecture(ModelConfig config, string folder)
{
    private const double YarnFast = 32, YarnSlow = 1;
    private const int Gemma27BLayers = 46;

    /// <summary>llama.cpp's name, also the prefix of its keys. Mistral is a Llama there.</summary>
    public string Name { get; } = config.Family switch
    {
        ModelFamily.Llama or ModelFamily.Mistral => "llama",
        ModelFamily.Qwen2 => "qwen2",
        ModelFamily.Qwen3 => "qwen3",
        ModelFamily.Gemma2 => "gemma2",
        ModelFamily.Gpt2 => "gpt2",
        ModelFamily.GptNeoX => "gptneox",
        var other => throw new CheckpointException(folder, $"is of the family {other}, which is not exported to GGUF"),
    };

    /// <summary>
    /// The longest context in which llama.cpp sees the same tokens as the model: of these architectures only Gemma 2 has windows.
    /// </summary>
    public int ContextTokens { get; } = config.Family == ModelFamily.Gemma2
        ? config.ContextTokens
        : Math.Min(config.ContextTokens, config.WindowTokens.Min() ?? int.MaxValue);

    /// <summary>Refuses what the architecture does not compute.</summary>
    /// <returns>What differs all the same, a sentence each.</returns>
    /// <exception cref="CheckpointException">llama.cpp would compute something else; the message says what.</exception>
    public IReadOnlyList<string> Check()
    {
        CheckScaling();
        if (config.Family == ModelFamily.Gemma2) CheckGemma2();
        if (config.Family == ModelFamily.Qwen3 && config.AttentionOutputBias) throw Refuse("biases in attention");
        if (config.Family == ModelFamily.GptNeoX && !config.QueryKeyValueBias) throw Refuse("attention without biases");
        return [.. Notes()];
    }

    /// <summary>Adds what the architecture reads, and the general keys.</summary>
    /// <param name="metadata">To which they are added.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="type">Type of the matrices.</param>
    public void AddTo(GgufMetadata metadata, string name, GgufElementType type)
    {
        metadata.Add("general.architecture", Name).Add("general.type", "model").Add("general.name", name)
            .Add("general.file_type", type.FileType()).Add("general.alignment", GgufFile.Alignment)
            .Add(Key("block_count"), config.LayerCount)
            .Add(Key("context_length"), ContextTokens)
            .Add(Key("embedding_length"), config.HiddenSize)
            .Add(Key("feed_forward_length"), config.IntermediateSize)
            .Add(Key("vocab_size"), config.VocabularySize)
            .Add(Key("attention.head_count"), config.HeadCount)
            .Add(Key("attention.head_count_kv"), config.KeyValueHeadCount)
            .Add(Key("attention.key_length"), config.HeadDimension)
            .Add(Key("attention.value_length"), config.HeadDimension)
            .Add(Key(config.Norm == NormKind.Layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
                config.NormEpsilon);
        if (config.RotaryDimension > 0) AddRotary(metadata);
        if (config.Family == ModelFamily.GptNeoX) metadata.Add(Key("use_parallel_residual"), config.IsParallel);
        if (config.Family != ModelFamily.Gemma2) return;
        metadata.Add(Key("attention.sliding_window"), config.WindowTokens[0]!.Value)
            .Add(Key("attn_logit_softcapping"), config.AttentionSoftCap!.Value)
            .Add(Key("final_logit_softcapping"), config.FinalSoftCap!.Value);
    }

    private void AddRotary(GgufMetadata metadata)
    {
        metadata.Add(Key("rope.dimension_count"), config.RotaryDimension).Add(Key("rope.freq_base"), config.RotaryBase);
        switch (config.RotaryScaling)
        {
            case RotaryScaling.Linear linear:
                metadata.Add(Key("rope.scaling.type"), "linear").Add(Key("rope.scaling.factor"), linear.Factor);
                break;
            case RotaryScaling.Yarn yarn:
                metadata.Add(Key("rope.scaling.type"), "yarn").Add(Key("rope.scaling.factor"), yarn.Factor)
                    .Add(Key("rope.scaling.original_context_length"), yarn.OriginalContextTokens);
                break;
        }
    }

    private void CheckScaling()
    {
        switch (config.RotaryScaling)
        {
            case RotaryScaling.Llama3 when Name != "llama":
                throw Refuse("rotary scaling 'llama3'");
            case not null when config.Family == ModelFamily.Gemma2:
                throw Refuse("rotary scaling");
            case RotaryScaling.Yarn { Truncates: false } or RotaryScaling.Yarn { FastRotations: not YarnFast }
                or RotaryScaling.Yarn { SlowRotations: not YarnSlow }:
                throw Refuse($"rotary scaling 'yarn' other than truncated, with beta_fast {YarnFast} and beta_slow {YarnSlow}");
            case RotaryScaling.Yarn yarn when Math.Abs(yarn.AttentionFactor - (0.1 * Math.Log(yarn.Factor) + 1)) > 1e-6:
                throw Refuse("rotary scaling 'yarn' with an attention factor other than 0.1 · ln(factor) + 1");
        }
    }

    private void CheckGemma2()
    {
        if (!config.TiedEmbeddings) throw Refuse("an output layer that is not the embedding");
        if (config.QueryKeyValueBias) throw Refuse("biases in attention");
        if (config.AttentionSoftCap is null || config.FinalSoftCap is null) throw Refuse("scores or logits without a cap");
        var window = config.WindowTokens[0];
        for (var layer = 0; layer < config.LayerCount; layer++)
            if (window is null || config.WindowTokens[layer] != (layer % 2 == 0 ? window : null))
                throw Refuse("windows in other layers than the first and every other one");
        var width = config.LayerCount == Gemma27BLayers ? config.HiddenSize / config.HeadCount : config.HeadDimension;
        if (Math.Abs(config.AttentionScale!.Value * Math.Sqrt(width) - 1) > 1e-6)
            throw Refuse(string.Create(CultureInfo.InvariantCulture,
                $"query_pre_attn_scalar {1 / (config.AttentionScale.Value * config.AttentionScale.Value):0.###}; it must be {width}"));
    }

    private IEnumerable<string> Notes()
    {
        var activation = config.Family switch
        {
            ModelFamily.Gemma2 or ModelFamily.Gpt2 or ModelFamily.GptNeoX => Activation.GeluTanh,
            _ => Activation.Silu,
        };
        if (config.Activation == Activation.Gelu && activation == Activation.GeluTanh)
            yield return "llama.cpp computes the activation gelu by its approximation with tanh";
        else if (config.Activation != activation)
            throw Refuse($"the activation {config.Activation}; it must be {activation}");
        if (ContextTokens < config.ContextTokens)
            yield return $"llama.cpp's {Name} has no windows: its context ends at the window, {ContextTokens} tokens";
    }

    private string Key(string name) => $"{Name}.{name}";

    private CheckpointException Refuse(string what) =>
        new(folder, $"cannot be written as GGUF: llama.cpp's architecture '{Name}' does not compute {what}");
}
