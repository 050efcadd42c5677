using DeRa.Torch.Configuration;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Layouts;

/// <summary>The tensors that a configuration asks for, and the check that a checkpoint holds them.</summary>
internal static class DecoderTensors
{
    /// <summary>
    /// The critic's head that PPO trainers (TRL) store beside the policy. It has no part in the logits, so it is ignored.
    /// </summary>
    private const string ValueHead = "v_head.";

    private const int NamesShown = 5;

    /// <summary>Every tensor the configuration asks for, and its shape as stored.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Expected(ModelConfig config, DecoderLayout layout)
    {
        long hidden = config.HiddenSize;
        yield return (layout.Embedding, [config.VocabularySize, hidden]);
        if (layout.Positions is { } positions) yield return (positions, [config.ContextTokens, hidden]);
        var inLayer = ExpectedInLayer(config, layout.Layer).ToList();
        for (var layer = 0; layer < config.LayerCount; layer++)
            foreach (var (name, shape) in inLayer) yield return (layout.InLayer(layer, name), shape);
        foreach (var tensor in ExpectedOfNorm(config, layout.FinalNorm)) yield return tensor;
        if (!config.TiedEmbeddings) yield return (layout.Output, [config.OutputSize, hidden]);
    }

    /// <summary>How many elements those have: the model's parameters.</summary>
    public static long CountElements(ModelConfig config, DecoderLayout layout) =>
        Expected(config, layout).Sum(tensor => tensor.Shape.Aggregate(1L, (count, size) => count * size));

    /// <summary>
    /// The configuration, untied where it ties the output layer to the embedding but the checkpoint stores a different one: the
    /// stored one is used, as in Hugging Face's library since version 5. Reads both tensors where both are there.
    /// </summary>
    public static ModelConfig WithStoredOutput(ModelConfig config, Checkpoint checkpoint, DecoderLayout layout) =>
        config.TiedEmbeddings && checkpoint.Find(layout.Output) is not null && checkpoint.Find(layout.Embedding) is not null
        && !checkpoint.AreSame(layout.Embedding, layout.Output)
            ? config with { TiedEmbeddings = false }
            : config;

    /// <summary>Checks that the checkpoint holds these tensors in these shapes, and otherwise only ignored ones.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, has another shape, or is unexpected.</exception>
    public static void Check(Checkpoint checkpoint, ModelConfig config, DecoderLayout layout)
    {
        var expected = Expected(config, layout).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        var missing = expected.Keys.Where(name => checkpoint.Find(name) is null).ToList();
        if (missing.Count > 0) throw new CheckpointException(checkpoint.Folder, $"tensors are missing: {Shown(missing)}");
        var buffers = new DerivedBuffers(config, layout);
        var extra = checkpoint.Names.Where(name => !expected.ContainsKey(name) && !(config.TiedEmbeddings && name == layout.Output)
            && !name.StartsWith(ValueHead, StringComparison.Ordinal)
            && !buffers.Contains(name, checkpoint.Find(name)!.Value.Tensor.Shape)).ToList();
        if (extra.Count > 0)
            throw new CheckpointException(checkpoint.Folder, $"tensors that config.json does not account for: {Shown(extra)}");
        foreach (var (name, shape) in expected) checkpoint.CheckWeight(name, shape, "config.json asks for");
    }

    private static IEnumerable<(string Name, long[] Shape)> ExpectedInLayer(ModelConfig config, LayerLayout layer) =>
        layer.Norms.SelectMany(norm => ExpectedOfNorm(config, norm))
            .Concat(layer.HeadNorms.Select(norm => (norm + ".weight", new long[] { config.HeadDimension })))
            .Concat(layer.Linears.SelectMany(linear => linear.Tensors));

    private static IEnumerable<(string Name, long[] Shape)> ExpectedOfNorm(ModelConfig config, string module)
    {
        yield return (module + ".weight", [config.HiddenSize]);
        if (config.Norm == NormKind.Layer) yield return (module + ".bias", [config.HiddenSize]);
    }

    private static string Shown(List<string> names) =>
        string.Join(", ", names.Take(NamesShown)) + (names.Count > NamesShown ? $" and {names.Count - NamesShown} more" : "");
}
