using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DeRa.Testing;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Writes checkpoints whose logits are set by hand: those after a token are a row of a table, whatever stands before it. A Llama of one
/// layer that adds nothing; the embedding of token i is √H in place i, which normalisation leaves as it is, and the output layer is the
/// table over √H.
/// </summary>
internal static class BigramModel
{
    /// <summary>Width of the hidden states, at least the vocabulary's size.</summary>
    private const int Hidden = 64;

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="logits">[vocabulary, vocabulary]: those after token i in row i; at most 64 tokens.</param>
    public static TemporaryFolder Write(double[][] logits)
    {
        var (vocabulary, root) = (logits.Length, Math.Sqrt(Hidden));
        var tensors = new SortedDictionary<string, (int[] Shape, float[] Values)>(StringComparer.Ordinal)
        {
            ["model.embed_tokens.weight"] = Matrix(vocabulary, (token, place) => token == place ? root : 0),
            ["lm_head.weight"] = Matrix(vocabulary, (next, token) => token < vocabulary ? logits[token][next] / root : 0),
            ["model.norm.weight"] = Ones(),
            ["model.layers.0.input_layernorm.weight"] = Ones(),
            ["model.layers.0.post_attention_layernorm.weight"] = Ones(),
        };
        foreach (var name in (string[])["self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down"])
            tensors[$"model.layers.0.{name}_proj.weight"] = Matrix(Hidden, (_, _) => 0);
        var folder = new TemporaryFolder();
        folder.Write("config.json", string.Create(CultureInfo.InvariantCulture, $$"""
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float32", "hidden_act": "silu",
             "hidden_size": {{Hidden}}, "intermediate_size": {{Hidden}}, "num_hidden_layers": 1, "num_attention_heads": 1,
             "num_key_value_heads": 1, "max_position_embeddings": 256, "rms_norm_eps": 1e-12, "vocab_size": {{vocabulary}},
             "rope_theta": 10000.0, "tie_word_embeddings": false}
            """));
        folder.Write("model.safetensors", Safetensors(tensors));
        return folder;
    }

    private static (int[] Shape, float[] Values) Ones() => ([Hidden], [.. Enumerable.Repeat(1f, Hidden)]);

    private static (int[] Shape, float[] Values) Matrix(int rows, Func<int, int, double> value) => ([rows, Hidden],
        [.. Enumerable.Range(0, rows).SelectMany(row => Enumerable.Range(0, Hidden).Select(column => (float)value(row, column)))]);

    private static byte[] Safetensors(SortedDictionary<string, (int[] Shape, float[] Values)> tensors)
    {
        var (entries, offset) = (new List<string>(), 0);
        foreach (var (name, (shape, values)) in tensors)
        {
            var end = offset + sizeof(float) * values.Length;
            entries.Add($$"""
                "{{name}}":{"dtype":"F32","shape":[{{string.Join(',', shape)}}],"data_offsets":[{{offset}},{{end}}]}
                """);
            offset = end;
        }
        var header = Encoding.UTF8.GetBytes("{" + string.Join(',', entries) + "}");
        return [.. BitConverter.GetBytes((long)header.Length), .. header,
            .. tensors.Values.SelectMany(tensor => MemoryMarshal.AsBytes(tensor.Values.AsSpan()).ToArray())];
    }
}
