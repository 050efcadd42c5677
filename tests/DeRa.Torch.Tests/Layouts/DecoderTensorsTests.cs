using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Tests.Weights;
using DeRa.Torch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Layouts;

public sealed class DecoderTensorsTests
{
    [Fact]
    public void Missing_tensors_are_named() =>
        Assert.Contains("tensors are missing: model.layers.2.input_layernorm.weight",
            Refusal("pair/sft", config => config["num_hidden_layers"] = 3));

    [Fact]
    public void Tensors_that_the_configuration_does_not_account_for_are_named() =>
        Assert.Contains("does not account for: model.layers.1.", Refusal("pair/sft", config => config["num_hidden_layers"] = 1));

    [Fact]
    public void Biases_that_would_be_left_out_are_named() =>
        Assert.Contains("does not account for: gpt_neox.layers.0.attention.dense.bias, gpt_neox.layers.0.attention.query_key_value.bias",
            Refusal("gpt_neox-sequential", config => config["attention_bias"] = false));

    [Fact]
    public void A_wrong_shape_is_named_with_both_shapes() =>
        Assert.Contains("tensor 'model.layers.0.self_attn.k_proj.weight': has shape [24, 48]; config.json asks for [12, 48]",
            Refusal("pair/sft", config => config["num_key_value_heads"] = 1));

    [Theory]
    [InlineData("model.layers.0.self_attn.rotary_emb.inv_freq")]
    [InlineData("v_head.summary.weight")]
    public void Old_rotary_buffers_and_a_critic_do_no_harm(string extra)
    {
        LibTorch.Load();
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        var file = Path.Combine(folder.Path, "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        var headerBytes = BitConverter.ToInt32(bytes, 0);
        var header = JsonNode.Parse(bytes.AsSpan(8, headerBytes))!.AsObject();
        var end = bytes.Length - 8 - headerBytes;
        header[extra] = JsonNode.Parse($$"""{"dtype":"F32","shape":[6],"data_offsets":[{{end}},{{end + 24}}]}""");
        folder.Write("model.safetensors", Safetensors.Build(header.ToJsonString(), [.. bytes.Skip(8 + headerBytes), .. new byte[24]]));
        Load(folder).Dispose();
    }

    private static string Refusal(string golden, Action<JsonObject> change)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed(golden));
        ChangeConfig(folder, change);
        return Assert.Throws<CheckpointException>(() => Load(folder)).Message;
    }

    private static DecoderModel Load(TemporaryFolder folder) =>
        DecoderLoader.Load(folder.Path, ModelConfigReader.Load(folder.Path), CPU, new NumberOptions(), onProgress: null,
            CancellationToken.None);

    private static void ChangeConfig(TemporaryFolder folder, Action<JsonObject> change)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "config.json")))!.AsObject();
        change(config);
        folder.Write("config.json", config.ToJsonString());
    }
}
