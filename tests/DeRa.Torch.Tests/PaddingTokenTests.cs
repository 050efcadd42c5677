using System.Text.Json.Nodes;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Tests.Execution;
using DeRa.Torch.Tests.Weights;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Torch.Tests;

/// <summary>An adapter whose trainer added a token, in tokenizer and embeddings, to pad its batches.</summary>
public sealed class PaddingTokenTests
{
    [Theory]
    [InlineData("<pad>", "</s>", true), InlineData("</s>", "</s>", false), InlineData(null, "</s>", false),
        InlineData("<pad>", "<pad>", false)]
    public async Task It_loads_where_that_token_only_pads(string? padding, string end, bool loads)
    {
        using var adapter = new EditedCheckpoint(GoldenData.Committed("pair/lora"), "adapter_model.safetensors");
        using var model = new EditedCheckpoint(GoldenData.Committed("pair/sft"));
        foreach (var (name, own) in new[] { ("base_model.model.model.embed_tokens.weight", "model.embed_tokens.weight"),
            ("base_model.model.lm_head.weight", "lm_head.weight") })
            adapter.Tensors[name] = ("F32", [301, 48], [.. model.Tensors[own].Data, .. new byte[4 * 48]]);
        adapter.Write();
        AddTokenizer(adapter.Path, padding, end);
        var options = new ServedPairOptions
        {
            Names = new ServedNames("pair", ["aligned"]),
            Models = GoldenPair.Options() with { Aligned = [new("aligned", adapter.Path)] },
        };
        var load = () => ServedPairLoader.LoadAsync(options, progress: null, NullLoggerFactory.Instance, TimeProvider.System,
            TestContext.Current.CancellationToken);
        if (!loads)
        {
            Assert.Contains("token 300 is no token in the reference model's tokenizer but '<pad>'",
                (await Assert.ThrowsAsync<PairLoadException>(load)).Message);
            return;
        }
        var pair = await load();
        using var engine = pair.Engine;
        Assert.Equal(300, pair.Tokenizer.VocabularySize);
    }

    private static void AddTokenizer(string folder, string? padding, string end)
    {
        var source = GoldenData.Committed("pair/sft");
        var tokenizer = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer.json")))!;
        var token = tokenizer["added_tokens"]![0]!.DeepClone();
        (token["id"], token["content"]) = (300, "<pad>");
        tokenizer["added_tokens"]!.AsArray().Add(token);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString());
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer_config.json")))!;
        (config["pad_token"], config["eos_token"]) = (padding, end);
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString());
    }
}
