using DeRa.Torch.Configuration;
using DeRa.Torch.Layouts;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Gguf;

/// <summary>
/// The tensors of a decoder by llama.cpp's names, in the order of the layers. Vectors, and tables that are looked up and added, are in
/// float32, as llama.cpp wants them.
/// </summary>
/// <param name="config">The configuration.</param>
/// <param name="layout">How the checkpoint is laid out.</param>
/// <param name="type">Type of the matrices.</param>
internal sealed class GgufTensors(ModelConfig config, DecoderLayout layout, GgufElementType type)
{
    /// <summary>Every tensor of the file.</summary>
    public IReadOnlyList<GgufTensor> All()
    {
        var tensors = new List<GgufTensor> { Table("token_embd", layout.Embedding, config.VocabularySize, type) };
        if (layout.Positions is { } positions)
            tensors.Add(Table("position_embd", positions, config.ContextTokens, GgufElementType.Float32));
        if (config.RotaryScaling is RotaryScaling.Llama3) tensors.Add(RotaryFactors());
        for (var layer = 0; layer < config.LayerCount; layer++) tensors.AddRange(OfLayer(layer));
        tensors.AddRange(OfNorm("output_norm", layout.FinalNorm, config.HiddenSize, config.Norm == NormKind.Layer));
        if (!config.TiedEmbeddings) tensors.Add(Table("output", layout.Output, config.VocabularySize, type));
        // llama.cpp's other architectures take the embedding where there is no output layer.
        else if (config.Family == ModelFamily.GptNeoX)
            tensors.Add(Table("output", layout.Embedding, config.VocabularySize, type));
        return tensors;
    }

    /// <summary>
    /// The stored row of a row whose head has its dimensions in the order of llama.cpp's Llama: there a pair that rotates together is
    /// two neighbours, in Hugging Face's files they lie half a head apart.
    /// </summary>
    /// <param name="row">A row of a query or key projection.</param>
    /// <param name="headDimension">Width of a head.</param>
    public static long RowOfPair(long row, int headDimension)
    {
        var (head, dimension) = Math.DivRem(row, headDimension);
        return head * headDimension + dimension % 2 * (headDimension / 2) + dimension / 2;
    }

    /// <summary>The stored row of a row of queries, keys and values, whose heads the checkpoint interleaves.</summary>
    /// <param name="row">A row: [3, heads, width].</param>
    /// <param name="heads">Heads.</param>
    /// <param name="rows">All rows.</param>
    public static long RowOfInterleaved(long row, int heads, long rows)
    {
        var width = rows / (3 * heads);
        var (part, inPart) = Math.DivRem(row, heads * width);
        var (head, dimension) = Math.DivRem(inPart, width);
        return (head * 3 + part) * width + dimension;
    }

    private IEnumerable<GgufTensor> OfLayer(int layer)
    {
        var (modules, prefix) = (layout.Layer, $"blk.{layer}.");
        var hasNormBias = config.Norm == NormKind.Layer;
        foreach (var (name, module) in new (string, string?)[]
        {
            ("attn_norm", modules.AttentionNorm), ("post_attention_norm", modules.AttentionOutputNorm),
            ("ffn_norm", modules.FeedForwardNorm), ("post_ffw_norm", modules.FeedForwardOutputNorm),
        })
            if (module is not null)
                foreach (var tensor in OfNorm(prefix + name, layout.InLayer(layer, module), config.HiddenSize, hasNormBias))
                    yield return tensor;
        foreach (var (name, module) in new (string, string?)[] { ("attn_q_norm", modules.QueryNorm), ("attn_k_norm", modules.KeyNorm) })
            if (module is not null)
                foreach (var tensor in OfNorm(prefix + name, layout.InLayer(layer, module), config.HeadDimension, hasBias: false))
                    yield return tensor;
        foreach (var (linear, names) in new (LinearLayout, string[])[]
        {
            (modules.QueryKeyValue, modules.QueryKeyValue.Parts.Count == 1 ? ["attn_qkv"] : ["attn_q", "attn_k", "attn_v"]),
            (modules.AttentionOutput, ["attn_output"]),
            (modules.FeedForwardInput, modules.FeedForwardInput.Parts.Count == 1 ? ["ffn_up"] : ["ffn_gate", "ffn_up"]),
            (modules.FeedForwardOutput, ["ffn_down"]),
        })
            for (var part = 0; part < linear.Parts.Count; part++)
                foreach (var tensor in OfPart(layer, linear, linear.Parts[part], prefix + names[part], IsRotated(names[part])))
                    yield return tensor;
    }

    private bool IsRotated(string name) =>
        config.Family is ModelFamily.Llama or ModelFamily.Mistral && name is "attn_q" or "attn_k";

    private IEnumerable<GgufTensor> OfPart(int layer, LinearLayout linear, LinearPart part, string name, bool isRotated)
    {
        var stored = layout.InLayer(layer, part.Module);
        Func<long, long>? order = isRotated ? row => RowOfPair(row, config.HeadDimension)
            : part.InterleavedHeads > 0 ? row => RowOfInterleaved(row, part.InterleavedHeads, part.Outputs)
            : null;
        yield return new GgufTensor
        {
            Name = name + ".weight",
            Shape = [part.Outputs, linear.Inputs],
            Type = type,
            Stored = stored + ".weight",
            IsTransposed = part.IsTransposed,
            StoredRow = order,
        };
        if (linear.HasBias) yield return Vector(name + ".bias", stored + ".bias", part.Outputs) with { StoredRow = order };
    }

    private IEnumerable<GgufTensor> OfNorm(string name, string module, long width, bool hasBias)
    {
        // llama.cpp multiplies by the weight itself.
        yield return Vector(name + ".weight", module + ".weight", width) with { Offset = (float)layout.NormOffset };
        if (hasBias) yield return Vector(name + ".bias", module + ".bias", width);
    }

    private static GgufTensor Vector(string name, string stored, long width) =>
        new() { Name = name, Shape = [width], Type = GgufElementType.Float32, Stored = stored };

    private GgufTensor Table(string name, string stored, long rows, GgufElementType elements) =>
        new() { Name = name + ".weight", Shape = [rows, config.HiddenSize], Type = elements, Stored = stored };

    /// <summary>What llama.cpp divides each rotary frequency by.</summary>
    private GgufTensor RotaryFactors()
    {
        var (scaled, plain) = (RotaryFrequencies.Of(config), RotaryFrequencies.Of(config with { RotaryScaling = null }));
        return new GgufTensor
        {
            Name = "rope_freqs.weight",
            Shape = [scaled.Length],
            Type = GgufElementType.Float32,
            Values = [.. plain.Zip(scaled, (before, after) => (float)(before / after))],
        };
    }
}
