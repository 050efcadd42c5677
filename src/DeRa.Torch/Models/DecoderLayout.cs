namespace DeRa.Torch.Models;

/// <summary>How a checkpoint names a decoder's tensors and lays them out.</summary>
internal sealed record DecoderLayout
{
    /// <summary>What stands before all names but the output layer's; a checkpoint without an output layer may lack it.</summary>
    public required string Base { get; init; }

    /// <summary>The embedding's module, after <see cref="Base"/>.</summary>
    public required string EmbeddingModule { get; init; }

    /// <summary>The list of layers, after <see cref="Base"/>.</summary>
    public required string LayersModule { get; init; }

    /// <summary>The last norm's module, after <see cref="Base"/>.</summary>
    public required string FinalNormModule { get; init; }

    /// <summary>The output layer's module.</summary>
    public required string OutputModule { get; init; }

    /// <summary>What a layer consists of.</summary>
    public required LayerLayout Layer { get; init; }

    /// <summary>[vocabulary, hidden].</summary>
    public string Embedding => $"{Base}{EmbeddingModule}.weight";

    /// <summary>The last norm, without its <c>.weight</c>.</summary>
    public string FinalNorm => Base + FinalNormModule;

    /// <summary>[vocabulary, hidden]; not there where it is the embedding.</summary>
    public string Output => OutputModule + ".weight";

    /// <summary>The layout of a configuration's family.</summary>
    public static DecoderLayout Of(ModelConfig config) => new()
    {
        Base = "model.",
        EmbeddingModule = "embed_tokens",
        LayersModule = "layers",
        FinalNormModule = "norm",
        OutputModule = "lm_head",
        Layer = LayerLayout.Llama(config),
    };

    /// <summary>A tensor's or module's name, such as <c>self_attn.q_proj</c> → <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string InLayer(int layer, string name) => $"{Base}{LayersModule}.{layer}.{name}";
}
