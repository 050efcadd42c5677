using System.Text.Json.Nodes;
using DeRa.Torch.Gguf;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Gguf;

public class GgufExportTests
{
    /// <summary>llama.cpp takes Gemma 2's scale of scores from the width of a head.</summary>
    private static void ScaleByHead(EditedCheckpoint checkpoint) => checkpoint.Set("query_pre_attn_scalar", 16);

    [Theory]
    [InlineData("llama-llama3", "llama", 21)]
    [InlineData("qwen2", "qwen2", 26)]
    [InlineData("qwen3", "qwen3", 24)]
    [InlineData("gpt2", "gpt2", 28)]
    [InlineData("gpt_neox-sequential", "gptneox", 28)]
    public void A_file_names_its_architecture_and_holds_its_tensors(string model, string architecture, int tensors)
    {
        using var checkpoint = ExportedModel.Golden(model);
        using var exported = new ExportedModel(checkpoint);
        Assert.Equal(architecture, exported.File.Metadata["general.architecture"]);
        Assert.Equal(2u, exported.File.Metadata[architecture + ".block_count"]);
        Assert.Equal(48u, exported.File.Metadata[architecture + ".embedding_length"]);
        Assert.Equal(0u, exported.File.Metadata["general.file_type"]);
        Assert.Equal(tensors, exported.File.Tensors.Count);
        Assert.Equal(exported.File.Tensors.Sum(tensor => tensor.Value.Bytes.Length), exported.Written);
        Assert.InRange(exported.DataBytes - exported.Written, 0, 31 * tensors);
    }

    [Theory]
    [InlineData("q", 4)]
    [InlineData("k", 2)]
    public void A_Llamas_queries_and_keys_have_the_two_of_a_pair_side_by_side(string name, int heads)
    {
        using var checkpoint = ExportedModel.Golden("llama-llama3");
        using var exported = new ExportedModel(checkpoint);
        var (stored, written) = (exported.StoredFloats($"model.layers.1.self_attn.{name}_proj.weight"),
            exported.Floats($"blk.1.attn_{name}.weight"));
        const int half = 12, columns = 48;
        for (var head = 0; head < heads; head++)
            for (var pair = 0; pair < half; pair++)
                for (var side = 0; side < 2; side++)
                    for (var column = 0; column < columns; column++)
                        Assert.Equal(stored[((head * 2 + side) * half + pair) * columns + column],
                            written[((head * half + pair) * 2 + side) * columns + column]);
    }

    [Fact]
    public void Biases_of_a_Llamas_queries_are_ordered_like_their_rows()
    {
        using var checkpoint = ExportedModel.Golden("llama-llama3", edited =>
        {
            edited.Set("attention_bias", true);
            for (var layer = 0; layer < 2; layer++)
            {
                var attention = $"model.layers.{layer}.self_attn.";
                edited.Add(attention + "q_proj.bias", "F32", 96).Add(attention + "k_proj.bias", "F32", 48)
                    .Add(attention + "v_proj.bias", "F32", 48).Add(attention + "o_proj.bias", "F32", 48);
            }
            var numbers = Enumerable.Range(0, 96).SelectMany(i => BitConverter.GetBytes((float)i)).ToArray();
            edited.Tensors["model.layers.0.self_attn.q_proj.bias"] = ("F32", [96], numbers);
        });
        using var exported = new ExportedModel(checkpoint);
        Assert.Equal([0, 12, 1, 13, 2, 14], exported.Floats("blk.0.attn_q.bias")[..6]);
        Assert.Equal([24, 36, 25], exported.Floats("blk.0.attn_q.bias")[24..27]);
    }

    [Theory]
    [InlineData("llama-llama3", "model.layers.0.self_attn.v_proj.weight", "blk.0.attn_v.weight")]
    [InlineData("qwen2", "model.layers.1.self_attn.q_proj.weight", "blk.1.attn_q.weight")]
    [InlineData("qwen2", "model.layers.1.self_attn.k_proj.bias", "blk.1.attn_k.bias")]
    [InlineData("qwen3", "model.layers.0.self_attn.q_norm.weight", "blk.0.attn_q_norm.weight")]
    [InlineData("qwen3", "model.layers.0.mlp.down_proj.weight", "blk.0.ffn_down.weight")]
    [InlineData("gpt2", "transformer.wpe.weight", "position_embd.weight")]
    [InlineData("gpt2", "transformer.h.1.attn.c_attn.bias", "blk.1.attn_qkv.bias")]
    [InlineData("gpt_neox-sequential", "gpt_neox.embed_in.weight", "token_embd.weight")]
    [InlineData("gpt_neox-sequential", "embed_out.weight", "output.weight")]
    [InlineData("gpt_neox-sequential", "gpt_neox.layers.0.post_attention_layernorm.bias", "blk.0.ffn_norm.bias")]
    public void Other_tensors_are_as_stored(string model, string stored, string written)
    {
        using var checkpoint = ExportedModel.Golden(model);
        using var exported = new ExportedModel(checkpoint);
        Assert.Equal(exported.StoredFloats(stored), exported.Floats(written));
    }

    [Fact]
    public void Gemmas_norms_have_their_one_added()
    {
        using var checkpoint = ExportedModel.Golden("gemma2", ScaleByHead);
        using var exported = new ExportedModel(checkpoint);
        foreach (var (stored, written) in new[]
        {
            ("model.layers.2.pre_feedforward_layernorm", "blk.2.ffn_norm"),
            ("model.layers.0.post_attention_layernorm", "blk.0.post_attention_norm"),
            ("model.layers.1.post_feedforward_layernorm", "blk.1.post_ffw_norm"), ("model.norm", "output_norm"),
        })
            Assert.Equal(exported.StoredFloats(stored + ".weight").Select(weight => weight + 1), exported.Floats(written + ".weight"));
        Assert.Equal(12u, exported.File.Metadata["gemma2.attention.sliding_window"]);
        Assert.Equal(3f, exported.File.Metadata["gemma2.attn_logit_softcapping"]);
        Assert.Equal(6f, exported.File.Metadata["gemma2.final_logit_softcapping"]);
        Assert.DoesNotContain("output.weight", exported.File.Tensors.Keys);
    }

    [Fact]
    public void Gpt2s_matrices_are_transposed()
    {
        using var checkpoint = ExportedModel.Golden("gpt2");
        using var exported = new ExportedModel(checkpoint);
        var (stored, written) = (exported.StoredFloats("transformer.h.0.mlp.c_fc.weight"), exported.Floats("blk.0.ffn_up.weight"));
        Assert.Equal([192L, 48L], exported.File.Tensors["blk.0.ffn_up.weight"].Shape);
        for (var output = 0; output < 192; output++)
            for (var input = 0; input < 48; input++) Assert.Equal(stored[input * 192 + output], written[output * 48 + input]);
    }

    [Fact]
    public void NeoXs_queries_keys_and_values_of_all_heads_lie_together()
    {
        using var checkpoint = ExportedModel.Golden("gpt_neox-sequential");
        using var exported = new ExportedModel(checkpoint);
        var (stored, written) = (exported.StoredFloats("gpt_neox.layers.1.attention.query_key_value.bias"),
            exported.Floats("blk.1.attn_qkv.bias"));
        const int heads = 4, width = 12;
        for (var part = 0; part < 3; part++)
            for (var head = 0; head < heads; head++)
                for (var i = 0; i < width; i++)
                    Assert.Equal(stored[(head * 3 + part) * width + i], written[(part * heads + head) * width + i]);
    }

    [Fact]
    public void Llama3s_scaling_becomes_what_each_frequency_is_divided_by()
    {
        using var checkpoint = ExportedModel.Golden("llama-llama3");
        using var exported = new ExportedModel(checkpoint);
        var factors = exported.Floats("rope_freqs.weight");
        for (var pair = 0; pair < 12; pair++)
        {
            // factor 8, low 1, high 4, 32 positions, base 500000, heads of 24.
            var rotations = 32 * Math.Pow(500_000, -pair / 12.0) / (2 * Math.PI);
            var kept = Math.Clamp((rotations - 1) / 3, 0, 1);
            Assert.Equal(1 / (kept + (1 - kept) / 8), factors[pair], 1e-5);
        }
    }

    [Theory]
    [InlineData("auto", 30, 32)]
    [InlineData("bfloat16", 30, 32)]
    [InlineData("float16", 1, 1)]
    [InlineData("float32", 0, 0)]
    public void Matrices_have_the_type_asked_for_and_vectors_float32(string type, int element, int file)
    {
        using var checkpoint = ExportedModel.Golden("llama-llama3");
        using var exported = new ExportedModel(checkpoint, type);
        Assert.Equal((uint)file, exported.File.Metadata["general.file_type"]);
        Assert.All(exported.File.Tensors.Values, tensor => Assert.Equal(tensor.Shape.Length == 1 ? 0u : (uint)element, tensor.Type));
        var stored = exported.StoredFloats("model.embed_tokens.weight");
        Assert.Equal(type == "float16" ? [.. stored.Select(value => (float)(Half)value)] : stored, exported.Floats("token_embd.weight"));
    }

    [Theory]
    [InlineData("0x3F808000", "0x3F800000")] // halfway between two: the even one
    [InlineData("0x3F818000", "0x3F820000")]
    [InlineData("0x3F808001", "0x3F810000")]
    [InlineData("0x80000000", "0x80000000")]
    public void Float32_is_rounded_to_nearest_even_in_bfloat16(string bits, string rounded)
    {
        var value = BitConverter.UInt32BitsToSingle(Convert.ToUInt32(bits, 16));
        var bytes = new byte[2];
        Assert.Equal(-1, GgufElements.Write([value], GgufElementType.BFloat16, bytes));
        Assert.Equal(Convert.ToUInt32(rounded, 16), (uint)BitConverter.ToUInt16(bytes) << 16);
    }

    [Theory]
    [InlineData("float16", 70_000f)]
    [InlineData("bfloat16", 3.4e38f)]
    public void A_weight_beyond_the_type_is_refused(string type, float weight)
    {
        using var checkpoint = ExportedModel.Golden("qwen2", edited =>
            BitConverter.GetBytes(weight).CopyTo(edited.Tensors["model.layers.0.mlp.up_proj.weight"].Data, 8));
        var refused = Assert.Throws<CheckpointException>(() => new ExportedModel(checkpoint, type));
        Assert.Contains("'model.layers.0.mlp.up_proj.weight'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--dtype", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gemma2", "query_pre_attn_scalar", "24", "query_pre_attn_scalar 24; it must be 16")]
    [InlineData("gemma2", "layer_types", "[\"full_attention\",\"sliding_attention\",\"full_attention\"]", "windows in other layers")]
    [InlineData("gpt2", "activation_function", "\"relu\"", "the activation Relu; it must be GeluTanh")]
    [InlineData("qwen2", "hidden_act", "\"gelu\"", "the activation Gelu; it must be Silu")]
    [InlineData("qwen2", "rope_scaling", """
        {"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":32}
        """, "rotary scaling 'llama3'")]
    [InlineData("qwen3", "rope_scaling", """{"rope_type":"yarn","factor":4,"attention_factor":1.5}""", "attention factor")]
    [InlineData("qwen3", "rope_scaling", """{"rope_type":"yarn","factor":4,"beta_fast":16}""", "beta_fast 32")]
    public void What_llama_cpp_does_not_compute_is_refused(string model, string field, string value, string message)
    {
        using var checkpoint = ExportedModel.Golden(model, edited => edited.Set(field, JsonNode.Parse(value)));
        var refused = Assert.ThrowsAny<CheckpointException>(() => GgufExport.Open(checkpoint.Path, DTypeOption.Auto));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Gemma_without_a_cap_is_refused()
    {
        using var checkpoint = ExportedModel.Golden("gemma2", ScaleByHead);
        var path = Path.Combine(checkpoint.Path, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("softcapping\":6.0", "softcapping\":null", StringComparison.Ordinal));
        var refused = Assert.Throws<CheckpointException>(() => GgufExport.Open(checkpoint.Path, DTypeOption.Auto));
        Assert.Contains("without a cap", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_ends_the_context_where_llama_cpp_has_none()
    {
        using var checkpoint = ExportedModel.Golden("qwen2", edited => edited.Set("use_sliding_window", true).Set("max_window_layers", 1));
        using var exported = new ExportedModel(checkpoint);
        Assert.Equal(8u, exported.File.Metadata["qwen2.context_length"]);
        Assert.Contains("8 tokens", Assert.Single(exported.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Yarn_is_told_by_its_factor_and_first_context()
    {
        using var checkpoint = ExportedModel.Golden("qwen3", edited => edited.Set("rope_scaling", JsonNode.Parse(
            """{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32}""")));
        using var exported = new ExportedModel(checkpoint);
        Assert.Equal("yarn", exported.File.Metadata["qwen3.rope.scaling.type"]);
        Assert.Equal(4f, exported.File.Metadata["qwen3.rope.scaling.factor"]);
        Assert.Equal(32u, exported.File.Metadata["qwen3.rope.scaling.original_context_length"]);
        Assert.Equal(128u, exported.File.Metadata["qwen3.context_length"]);
    }
}
