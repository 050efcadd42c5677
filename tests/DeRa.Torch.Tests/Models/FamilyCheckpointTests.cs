using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Verification;
using DeRa.Torch.Weights;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Models;

/// <summary>Golden checkpoints rewritten as other exports spell them still give the golden logits.</summary>
public sealed class FamilyCheckpointTests
{
    [Theory]
    [InlineData("F32"), InlineData("U8"), InlineData("BOOL")]
    public void Gpt_2_without_its_prefix_and_with_old_buffers_is_the_same_model(string type) => AssertSame("gpt2", header =>
    {
        foreach (var name in header.Select(tensor => tensor.Key).ToList())
        {
            var tensor = header[name];
            header.Remove(name);
            header[name.Replace("transformer.", "")] = tensor;
        }
        foreach (var layer in (int[])[0, 1])
        {
            header[$"h.{layer}.attn.bias"] = Buffer(type);
            header[$"h.{layer}.attn.masked_bias"] = Buffer(shape: "1");
        }
    });

    [Theory]
    [InlineData("F32"), InlineData("U8"), InlineData("BOOL")]
    public void Gpt_neox_with_old_buffers_is_the_same_model(string type) => AssertSame("gpt_neox-sequential", header =>
    {
        header["gpt_neox.layers.1.attention.masked_bias"] = Buffer(shape: "1");
        foreach (var name in (string[])["bias", "rotary_emb.inv_freq"])
            header["gpt_neox.layers.1.attention." + name] = Buffer(type);
    });

    [Fact]
    public void A_weight_of_whole_numbers_is_refused_by_name()
    {
        using var folder = Rewritten("gpt2", header =>
        {
            var weight = header["transformer.wpe.weight"]!;
            weight["dtype"] = "U8";
            weight["shape"]![1] = weight["shape"]![1]!.GetValue<int>() * 4;
        });
        Assert.Contains("'transformer.wpe.weight': holds elements of type U8, which weights may not have (allowed: F32, F16, BF16)",
            Assert.Throws<CheckpointException>(() => Run(folder)).Message);
    }

    [Theory]
    [InlineData("gpt2", "transformer.h.2.attn.bias"), InlineData("gpt2", "transformer.h.0.attn.c_attn.lora_A")]
    [InlineData("gpt_neox-sequential", "gpt_neox.layers.0.attention.rotary_emb.scale"), InlineData("qwen3", "x.rotary_emb.inv_freq")]
    [InlineData("qwen3", "model.layers.0.self_attn.q_norm.bias"), InlineData("gemma2", "model.layers.0.input_layernorm.bias")]
    public void Other_tensors_are_refused_by_name(string golden, string name)
    {
        using var folder = Rewritten(golden, header => header[name] = Buffer());
        Assert.Contains($"does not account for: {name}", Assert.Throws<CheckpointException>(() => Run(folder)).Message);
    }

    [Theory]
    [InlineData("gpt2", "transformer.wpe.weight"), InlineData("qwen3", "model.layers.1.self_attn.k_norm.weight")]
    [InlineData("gemma2", "model.layers.2.post_feedforward_layernorm.weight"), InlineData("gpt_neox-sequential", "embed_out.weight")]
    public void A_missing_tensor_is_named(string golden, string name)
    {
        using var folder = Rewritten(golden, header => header["other"] = header[name]!.DeepClone(), renamed: name);
        Assert.Contains($"tensors are missing: {name}", Assert.Throws<CheckpointException>(() => Run(folder)).Message);
    }

    [Theory]
    [InlineData("float32", 59.866519)]
    [InlineData("float16", 59.875)]
    [InlineData("bfloat16", 59.75)]
    public void Embeddings_of_gemma_2_9b_are_scaled_by_a_number_of_their_own_type(string type, double expected)
    {
        LibTorch.Load();
        var own = DTypeOption.Parse(type).Resolve(torch.ScalarType.Float32);
        Assert.Equal(expected, DecoderModel.Rounded(Math.Sqrt(3584), own), 1e-6);
    }

    private static void AssertSame(string golden, Action<JsonObject> change)
    {
        using var folder = Rewritten(golden, change);
        var report = Run(folder);
        Assert.True(report.Passed, string.Join(Environment.NewLine, report.Checks.Where(check => !check.Passed)));
    }

    private static GoldenReport Run(TemporaryFolder folder) =>
        GoldenVerification.Run(folder.Path, DeviceOption.Cpu, new NumberOptions { DType = DTypeOption.Parse("float32") });

    /// <summary>
    /// A golden folder with another header over the same data, and four bytes at its end that <see cref="Buffer"/> names.
    /// </summary>
    private static TemporaryFolder Rewritten(string golden, Action<JsonObject> change, string? renamed = null)
    {
        var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed(golden));
        var bytes = File.ReadAllBytes(Path.Combine(folder.Path, "model.safetensors"));
        var headerBytes = BitConverter.ToInt32(bytes, 0);
        var header = JsonNode.Parse(bytes.AsSpan(8, headerBytes))!.AsObject();
        change(header);
        if (renamed is not null) header.Remove(renamed);
        byte[] data = [.. bytes.Skip(8 + headerBytes)];
        foreach (var (name, _) in header.Where(tensor => tensor.Value?["data_offsets"]?[0]?.GetValue<int>() == -1).ToList())
        {
            header[name]!["data_offsets"] = new JsonArray(data.Length, data.Length + 4);
            data = [.. data, 1, 2, 3, 4];
        }
        folder.Write("model.safetensors", Safetensors.Build(header.ToJsonString(), data));
        return folder;
    }

    private static JsonNode Buffer(string type = "F32", string? shape = null) => JsonNode.Parse(
        $$"""{"dtype":"{{type}}","shape":[{{shape ?? (type == "F32" ? "1,1,1,1" : "1,1,2,2")}}],"data_offsets":[-1,-1]}""")!;
}
