using DeRa.Torch.Weights;

namespace DeRa.Torch.Layouts;

/// <summary>The names and arrangement of a decoder's tensors in a checkpoint.</summary>
internal sealed record DecoderLayout
{
    /// <summary>The prefix of all names but the output layer's, such as <c>model.</c>.</summary>
    public required string Prefix { get; init; }

    /// <summary>Whether the checkpoint leaves <see cref="Prefix"/> out: it was saved without an output layer.</summary>
    public bool IsBare { get; init; }

    /// <summary>The embedding's module, after <see cref="Base"/>.</summary>
    public required string EmbeddingModule { get; init; }

    /// <summary>The learned positions' module, after <see cref="Base"/>; null = none.</summary>
    public string? PositionsModule { get; init; }

    /// <summary>The list of layers, after <see cref="Base"/>.</summary>
    public required string LayersModule { get; init; }

    /// <summary>The last norm's module, after <see cref="Base"/>.</summary>
    public required string FinalNormModule { get; init; }

    /// <summary>The output layer's module.</summary>
    public required string OutputModule { get; init; }

    /// <summary>What a layer consists of.</summary>
    public required LayerLayout Layer { get; init; }

    /// <summary>Added to stored norm weights.</summary>
    public double NormOffset { get; init; }

    /// <summary>What the checkpoint puts before all names but the output layer's: <see cref="Prefix"/>, or nothing.</summary>
    public string Base => IsBare ? "" : Prefix;

    /// <summary>[vocabulary, hidden].</summary>
    public string Embedding => $"{Base}{EmbeddingModule}.weight";

    /// <summary>[context, hidden], or null.</summary>
    public string? Positions => PositionsModule is null ? null : $"{Base}{PositionsModule}.weight";

    /// <summary>The last norm, without <c>.weight</c>.</summary>
    public string FinalNorm => Base + FinalNormModule;

    /// <summary>[vocabulary, hidden]; usually absent where it is tied to the embedding.</summary>
    public string Output => OutputModule + ".weight";

    /// <summary>The layout as a checkpoint has it: bare where only the names without <see cref="Prefix"/> are there.</summary>
    public DecoderLayout As(Checkpoint checkpoint)
    {
        var bare = this with { IsBare = true };
        return checkpoint.Find(Embedding) is null && checkpoint.Find(bare.Embedding) is not null ? bare : this;
    }

    /// <summary>A tensor's or module's name, such as <c>self_attn.q_proj</c> → <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string InLayer(int layer, string name) => $"{Base}{LayersModule}.{layer}.{name}";
}
