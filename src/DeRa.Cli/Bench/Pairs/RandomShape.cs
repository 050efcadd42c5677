namespace DeRa.Cli.Bench.Pairs;

/// <summary>The shape of a Llama model, and how far the aligned model of a random pair of it is from the reference.</summary>
internal sealed record RandomShape
{
    /// <summary>Width of the hidden state; a multiple of <see cref="Heads"/>.</summary>
    public required int Hidden { get; init; }

    /// <summary>Layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Heads of queries; a multiple of <see cref="KeyValueHeads"/>.</summary>
    public required int Heads { get; init; }

    /// <summary>Heads of keys and values.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width inside the feed-forward layers.</summary>
    public required int Intermediate { get; init; }

    /// <summary>Tokens; see <see cref="RandomTokenizer.Create"/>.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Whether the output layer is the embedding.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Most tokens of a sequence.</summary>
    public int ContextTokens { get; init; } = 8192;

    /// <summary>
    /// Deviation of what the aligned model's weights differ by, over the deviation of each tensor's weights: so large that models in turns
    /// guess .90 to .92 of each other's tokens, at strength .5 and temperature 1.
    /// </summary>
    public required double Noise { get; init; }

    private static readonly RandomShape s_tinyLlama = new()
    {
        Hidden = 2048,
        Layers = 22,
        Heads = 32,
        KeyValueHeads = 4,
        Intermediate = 5632,
        Vocabulary = 32_000,
        Noise = .036,
    };

    /// <summary>
    /// Shapes by the number of their parameters: a small Llama, TinyLlama-1.1B, the same with a vocabulary of 151,936, and Llama-2-7B.
    /// The noise of 110m, 1b and 1b-152k was found by measuring: of their guesses .909, .913 and .912 were right, of 8 sequences from a
    /// context of 128. That of 7b is extrapolated from how it falls with the size, and was not measured.
    /// </summary>
    public static IReadOnlyDictionary<string, RandomShape> ByName { get; } = new Dictionary<string, RandomShape>
    {
        ["110m"] = new()
        {
            Hidden = 768,
            Layers = 12,
            Heads = 12,
            KeyValueHeads = 12,
            Intermediate = 2048,
            Vocabulary = 32_000,
            TiedHead = true,
            Noise = .11,
        },
        ["1b"] = s_tinyLlama,
        ["1b-152k"] = s_tinyLlama with { Vocabulary = 151_936 },
        ["7b"] = new()
        {
            Hidden = 4096,
            Layers = 32,
            Heads = 32,
            KeyValueHeads = 32,
            Intermediate = 11_008,
            Vocabulary = 32_000,
            Noise = .017,
        },
    };

    /// <summary>Names and shapes of all tensors, as in a Hugging Face checkpoint.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        var keyValueWidth = Hidden / Heads * KeyValueHeads;
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [keyValueWidth, Hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [keyValueWidth, Hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        }
        yield return ("model.norm.weight", [Hidden]);
        if (!TiedHead) yield return ("lm_head.weight", [Vocabulary, Hidden]);
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
        num_key_value_heads = KeyValueHeads,
        vocab_size = Vocabulary,
        max_position_embeddings = ContextTokens,
        rms_norm_eps = 1e-5,
        rope_theta = 10_000,
        tie_word_embeddings = TiedHead,
    };
}
