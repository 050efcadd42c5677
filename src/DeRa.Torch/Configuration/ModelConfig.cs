using TorchSharp;

namespace DeRa.Torch.Configuration;

/// <summary>What a decoder looks like: the parts of <c>config.json</c> that decide the mathematics, the same for all families.</summary>
public sealed record ModelConfig
{
    /// <summary>The architecture.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Rows of the embedding and of the output layer; may be padded beyond the tokenizer's size.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads of a layer; a multiple of <see cref="KeyValueHeadCount"/>.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads of a layer.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of one head.</summary>
    public required int HeadDimension { get; init; }

    /// <summary>Most tokens a sequence may have: <c>max_position_embeddings</c>, or what scaled rotary positions stretch it to.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>What every norm but those of single heads computes; those are <see cref="NormKind.RootMeanSquare"/>.</summary>
    public NormKind Norm { get; init; } = NormKind.RootMeanSquare;

    /// <summary>Added to the mean square (or the variance) in every norm.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>What embeddings are multiplied by, rounded to the element type first.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>How many dimensions of each head, from the first, have rotary positions; even. 0 = positions are learned.</summary>
    public required int RotaryDimension { get; init; }

    /// <summary>Base of the rotary frequencies (θ).</summary>
    public double RotaryBase { get; init; } = 10_000;

    /// <summary>How rotary frequencies are scaled; null where they are not.</summary>
    public RotaryScaling? RotaryScaling { get; init; }

    /// <summary>What attention scores are multiplied by; null = 1 / √<see cref="HeadDimension"/>.</summary>
    public double? AttentionScale { get; init; }

    /// <summary>Attention scores s become cap · tanh(s / cap); null = no cap.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Logits z become cap · tanh(z / cap); null = no cap.</summary>
    public double? FinalSoftCap { get; init; }

    /// <summary>Whether the queries and keys of each head are normalised.</summary>
    public bool HasHeadNorms { get; init; }

    /// <summary>Whether the outputs of attention and feed-forward layers are normalised too.</summary>
    public bool HasOutputNorms { get; init; }

    /// <summary>Whether attention and feed-forward layer both read the layer's input; else the latter reads the former's result.</summary>
    public bool IsParallel { get; init; }

    /// <summary>Whether the feed-forward layer is activation(gate) · up (arXiv 2002.05202); else it is activation(input).</summary>
    public bool IsGated { get; init; } = true;

    /// <summary>The function inside the feed-forward layer.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Whether the query, key and value projections have a bias.</summary>
    public required bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the attention's output projection has a bias.</summary>
    public required bool AttentionOutputBias { get; init; }

    /// <summary>Whether the feed-forward layer's projections have a bias.</summary>
    public required bool FeedForwardBias { get; init; }

    /// <summary>
    /// Labels of a sequence-classification model, whose output layer scores them and not the vocabulary; null = it is a language model.
    /// </summary>
    public int? LabelCount { get; init; }

    /// <summary>Rows of the output layer.</summary>
    public int OutputSize => LabelCount ?? VocabularySize;

    /// <summary>Whether the output layer is the embedding.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>One a layer: how many tokens it sees, the current one and those before it; null = all.</summary>
    public required IReadOnlyList<int?> WindowTokens { get; init; }

    /// <summary>The element type that the checkpoint asks for; null where <c>config.json</c> does not say.</summary>
    public torch.ScalarType? ElementType { get; init; }

    /// <summary>Bytes that one token's keys and values take in the cache of all layers.</summary>
    /// <param name="elementBytes">Bytes of one cache element.</param>
    internal long CacheBytesPerToken(int elementBytes) =>
        2L * LayerCount * KeyValueHeadCount * HeadDimension * elementBytes;
}

/// <summary>How a norm scales vectors.</summary>
public enum NormKind
{
    /// <summary>x / √(mean(x²) + ε) · weight (arXiv 1910.07467).</summary>
    RootMeanSquare,

    /// <summary>(x − mean) / √(variance + ε) · weight + bias (arXiv 1607.06450).</summary>
    Layer,
}
