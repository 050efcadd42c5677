using System.Text.Json.Nodes;
using DeRa.Serving.Gguf;
using DeRa.Testing;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Xunit;

namespace DeRa.Serving.Tests.Gguf;

public sealed class GgufExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "model.gguf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_byte_level_tokenizer_is_listed_with_its_merges()
    {
        var folder = GoldenData.Committed("qwen2");
        var (exported, file) = Export(folder);
        Assert.Equal("gpt2", file.Metadata["tokenizer.ggml.model"]);
        Assert.Equal("gpt-2", file.Metadata["tokenizer.ggml.pre"]);
        Assert.Equal(1u, file.Metadata["tokenizer.ggml.bos_token_id"]);
        Assert.Equal(2u, file.Metadata["tokenizer.ggml.eos_token_id"]);
        var model = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer.json")))!["model"]!;
        var (tokens, kinds) = (file.List("tokenizer.ggml.tokens"), file.List("tokenizer.ggml.token_type"));
        Assert.Equal(144, tokens.Count);
        Assert.Equal(144, kinds.Count);
        foreach (var (text, id) in model["vocab"]!.AsObject()) Assert.Equal(text, tokens[(int)id!]);
        Assert.Equal(3, kinds[2]);
        Assert.Equal([.. model["merges"]!.AsArray().Select(Merge)], file.List("tokenizer.ggml.merges"));
        Assert.Empty(exported.Notes);
    }

    [Fact]
    public void An_unknown_way_to_split_is_told()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("qwen2"));
        Edit(folder, "tokenizer.json", json => json["pre_tokenizer"] = JsonNode.Parse("""
            {"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
              {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}
            """));
        var (exported, file) = Export(folder.Path);
        Assert.Equal("default", file.Metadata["tokenizer.ggml.pre"]);
        Assert.Contains("give it token ids", Assert.Single(exported.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"\p{N}", "qwen2")]
    [InlineData(@"\p{N}{1,3}", "llama-bpe")]
    [InlineData(@"\p{N}{1,2}", "default")]
    public void Published_patterns_are_known(string digits, string name)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("qwen2"));
        var pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + digits
            + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        Edit(folder, "tokenizer.json", json => json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated" },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        });
        Assert.Equal(name, Export(folder.Path).File.Metadata["tokenizer.ggml.pre"]);
    }

    [Fact]
    public void A_tokenizer_with_byte_tokens_gets_scores_in_the_order_of_its_merges()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        File.Delete(Path.Combine(folder.Path, "tokenizer_config.json"));
        folder.Write("tokenizer.json", TinyTokenizer.ByteFallback().ToJsonString());
        var (exported, file) = Export(folder.Path);
        Assert.Equal("llama", file.Metadata["tokenizer.ggml.model"]);
        Assert.Equal(true, file.Metadata["tokenizer.ggml.add_space_prefix"]);
        Assert.Equal(0u, file.Metadata["tokenizer.ggml.unknown_token_id"]);
        var kinds = file.List("tokenizer.ggml.token_type");
        Assert.Equal([2, 3, 3, 6], kinds.Take(4));
        Assert.Equal(300, kinds.Count);
        var tokens = file.List("tokenizer.ggml.tokens").ToList();
        // In the order of the merges.
        Assert.Equal([-1f, -2f, -3f, -4f, -5f, -6f],
            new[] { "▁t", "he", "▁the", "aa", "aaaa", "▁▁" }.Select(token => file.List("tokenizer.ggml.scores")[tokens.IndexOf(token)]));
        Assert.Contains("give it token ids", Assert.Single(exported.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_tokens_is_padded_to_the_models_width()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("qwen2"));
        Edit(folder, "tokenizer.json", json =>
        {
            json["model"]!["vocab"]!.AsObject().Remove(json["model"]!["vocab"]!.AsObject().MaxBy(token => (int)token.Value!).Key);
            json["model"]!["merges"] = new JsonArray();
        });
        var file = Export(folder.Path).File;
        Assert.Equal("[PAD143]", file.List("tokenizer.ggml.tokens")[143]);
        Assert.Equal(5, file.List("tokenizer.ggml.token_type")[143]);
    }

    [Fact]
    public void A_file_that_is_there_stays_unless_it_is_to_be_replaced()
    {
        _folder.Write("model.gguf", "mine");
        var refused = Assert.Throws<FormatException>(() => Export(GoldenData.Committed("qwen2")));
        Assert.Contains("--force", refused.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Output));
        Assert.Equal("qwen2", Export(GoldenData.Committed("qwen2"), force: true).File.Metadata["general.architecture"]);
    }

    [Fact]
    public void A_failure_leaves_what_was_there_and_nothing_else()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("gpt2"));
        var weights = Path.Combine(folder.Path, "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        // The last weight of the file becomes one that float16 does not hold.
        BitConverter.GetBytes(1e6f).CopyTo(bytes, bytes.Length - 4);
        File.WriteAllBytes(weights, bytes);
        _folder.Write("model.gguf", "mine");
        Assert.Throws<CheckpointException>(() => Export(folder.Path, "float16", force: true));
        Assert.Equal("mine", File.ReadAllText(Output));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Cancelled_it_leaves_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var exporter = new GgufExporter(GoldenData.Committed("qwen2"), Output, DTypeOption.Auto, Overwrites: false);
        Assert.Throws<OperationCanceledException>(() => exporter.Export("model", progress: null, cancelled.Token));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_place_that_is_not_there_is_named()
    {
        var exporter = new GgufExporter(
            GoldenData.Committed("qwen2"), Path.Combine(_folder.Path, "none", "model.gguf"), DTypeOption.Auto, Overwrites: false);
        var refused = Assert.Throws<FormatException>(() => exporter.Export("model", progress: null, CancellationToken.None));
        Assert.Contains("--output", refused.Message, StringComparison.Ordinal);
    }

    private (GgufExported Exported, GgufReader File) Export(string folder, string type = "auto", bool force = false)
    {
        var exported = new GgufExporter(folder, Output, DTypeOption.Parse(type), force).Export("golden", progress: null, default);
        Assert.Equal(new FileInfo(Output).Length, exported.LengthBytes);
        return (exported, new GgufReader(Output));
    }

    private static void Edit(TemporaryFolder folder, string name, Action<JsonNode> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, name)))!;
        change(json);
        folder.Write(name, json.ToJsonString());
    }

    private static string Merge(JsonNode? merge) =>
        merge is JsonArray parts ? string.Join(' ', parts.Select(part => (string)part!)) : (string)merge!;
}
