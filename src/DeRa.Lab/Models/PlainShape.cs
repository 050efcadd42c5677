using DeRa.Torch.Configuration;

namespace DeRa.Lab.Models;

/// <summary>The shapes that the Lab makes: Llama's layout, as many key heads as query heads, tied embeddings.</summary>
internal static class PlainShape
{
    /// <summary>A configuration of these sizes.</summary>
    public static ModelConfig Of(int vocabulary, int hidden, int intermediate, int layers, int heads, int context) => new()
    {
        Family = ModelFamily.Llama,
        VocabularySize = vocabulary,
        HiddenSize = hidden,
        IntermediateSize = intermediate,
        LayerCount = layers,
        HeadCount = heads,
        KeyValueHeadCount = heads,
        HeadDimension = hidden / heads,
        ContextTokens = context,
        NormEpsilon = 1e-5,
        RotaryDimension = hidden / heads,
        RotaryBase = 10000,
        QueryKeyValueBias = false,
        AttentionOutputBias = false,
        FeedForwardBias = false,
        TiedEmbeddings = true,
        WindowTokens = new int?[layers],
    };
}
