namespace DeRa.Benchmarks.Pairs;

/// <summary>The shape of a Llama model whose output layer is its embedding.</summary>
/// <param name="Hidden">Width of the hidden state; a multiple of <paramref name="Heads"/>.</param>
/// <param name="Layers">Layers.</param>
/// <param name="Heads">Heads of queries, and of keys and values.</param>
/// <param name="Intermediate">Width inside the feed-forward layers.</param>
/// <param name="Vocabulary">Tokens.</param>
/// <param name="ContextTokens">Most tokens of a sequence.</param>
internal sealed record RandomShape(int Hidden, int Layers, int Heads, int Intermediate, int Vocabulary, int ContextTokens)
{
    /// <summary>Shapes by the number of their parameters.</summary>
    public static IReadOnlyDictionary<string, RandomShape> ByName { get; } = new Dictionary<string, RandomShape>
    {
        ["110m"] = new(Hidden: 768, Layers: 12, Heads: 12, Intermediate: 2048, Vocabulary: 32_000, ContextTokens: 2048),
    };

    /// <summary>Names and shapes of all tensors, as in a Hugging Face checkpoint.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            foreach (var name in (string[])["q", "k", "v", "o"]) yield return ($"{prefix}self_attn.{name}_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        }
        yield return ("model.norm.weight", [Hidden]);
    }

    /// <summary>What <c>config.json</c> holds.</summary>
    public object Config => new
    {
        architectures = (string[])["LlamaForCausalLM"],
        model_type = "llama",
        torch_dtype = "bfloat16",
        bos_token_id = RandomTokenizer.Bos,
        eos_token_id = RandomTokenizer.Eos,
        hidden_act = "silu",
        hidden_size = Hidden,
        intermediate_size = Intermediate,
        num_hidden_layers = Layers,
        num_attention_heads = Heads,
        num_key_value_heads = Heads,
        vocab_size = Vocabulary,
        max_position_embeddings = ContextTokens,
        rms_norm_eps = 1e-5,
        rope_theta = 10_000,
        tie_word_embeddings = true,
    };
}
