using DeRa.Torch.Weights;

namespace DeRa.Torch.Models;

/// <summary>The tensors a checkpoint of the family has, by Hugging Face's names, and the check that they are all there.</summary>
internal static class DecoderTensors
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Output = "lm_head.weight";
    private const int NamesShown = 5;

    /// <summary>A tensor's name in a layer, such as <c>self_attn.q_proj.weight</c> → <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public static string InLayer(int layer, string name) => $"model.layers.{layer}.{name}";

    /// <summary>Every tensor the configuration asks for, and its shape.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Expected(ModelConfig config)
    {
        yield return (Embedding, [config.VocabularySize, config.HiddenSize]);
        for (var layer = 0; layer < config.LayerCount; layer++)
            foreach (var (name, shape) in ExpectedInLayer(config)) yield return (InLayer(layer, name), shape);
        yield return (FinalNorm, [config.HiddenSize]);
        if (!config.TiedEmbeddings) yield return (Output, [config.VocabularySize, config.HiddenSize]);
    }

    /// <summary>Checks that the checkpoint holds these tensors in these shapes and no others.</summary>
    /// <exception cref="CheckpointException">Something is missing, has another shape, or would be left unused.</exception>
    public static void Check(Checkpoint checkpoint, ModelConfig config)
    {
        var expected = Expected(config).ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        var missing = expected.Keys.Where(name => checkpoint.Find(name) is null).ToList();
        if (missing.Count > 0) throw new CheckpointException(checkpoint.Folder, $"tensors are missing: {Shown(missing)}");
        var extra = checkpoint.Names.Where(name => !expected.ContainsKey(name) && !IsIgnorable(name, config)).ToList();
        if (extra.Count > 0)
            throw new CheckpointException(checkpoint.Folder, $"tensors that config.json does not account for: {Shown(extra)}");
        foreach (var (name, shape) in expected)
        {
            var (file, stored) = checkpoint.Find(name)!.Value;
            if (!stored.Shape.AsSpan().SequenceEqual(shape))
                throw CheckpointException.ForTensor(
                    file.Path, name, $"has shape [{string.Join(", ", stored.Shape)}]; config.json asks for [{string.Join(", ", shape)}]");
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> ExpectedInLayer(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = config.HeadCount * (long)config.HeadDimension, keys = config.KeyValueHeadCount * (long)config.HeadDimension;
        (string Name, long Outputs, long Inputs, bool HasBias)[] linears =
        [
            ("self_attn.q_proj", queries, hidden, config.QueryKeyValueBias),
            ("self_attn.k_proj", keys, hidden, config.QueryKeyValueBias),
            ("self_attn.v_proj", keys, hidden, config.QueryKeyValueBias),
            ("self_attn.o_proj", hidden, queries, config.AttentionOutputBias),
            ("mlp.gate_proj", intermediate, hidden, config.FeedForwardBias),
            ("mlp.up_proj", intermediate, hidden, config.FeedForwardBias),
            ("mlp.down_proj", hidden, intermediate, config.FeedForwardBias),
        ];
        yield return ("input_layernorm.weight", [hidden]);
        yield return ("post_attention_layernorm.weight", [hidden]);
        foreach (var (name, outputs, inputs, hasBias) in linears)
        {
            yield return (name + ".weight", [outputs, inputs]);
            if (hasBias) yield return (name + ".bias", [outputs]);
        }
    }

    /// <summary>Old exports keep a table that config.json determines; an output layer stored beside a tied embedding is its copy.</summary>
    private static bool IsIgnorable(string name, ModelConfig config) =>
        name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TiedEmbeddings && name == Output);

    private static string Shown(List<string> names) =>
        string.Join(", ", names.Take(NamesShown)) + (names.Count > NamesShown ? $" and {names.Count - NamesShown} more" : "");
}
