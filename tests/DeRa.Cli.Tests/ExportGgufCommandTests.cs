using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

public sealed class ExportGgufCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "model.gguf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_is_written_and_its_type_and_size_told()
    {
        var run = await CommandRun.OfAsync("export-gguf", GoldenData.Committed("llama-llama3"), "--output", Output);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith($"{Output}: bfloat16, 0.1 MiB", run.Out, StringComparison.Ordinal);
        var file = new GgufReader(Output);
        Assert.Equal("llama-llama3", file.Metadata["general.name"]);
        Assert.Equal("llama", file.Metadata["general.architecture"]);
        Assert.Equal("gpt2", file.Metadata["tokenizer.ggml.model"]);
    }

    [Fact]
    public async Task What_llama_cpp_computes_a_little_differently_is_told()
    {
        var run = await CommandRun.OfAsync("export-gguf", GoldenData.Committed("gpt_neox-sequential"), "--output", Output);
        Assert.Equal(0, run.Code);
        Assert.Contains("approximation with tanh", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "query_pre_attn_scalar", "gemma2")]
    [InlineData(2, "--dtype", "qwen2", "--dtype", "int8")]
    public async Task What_cannot_be_written_is_named_and_leaves_no_file(int code, string message, string model, params string[] options)
    {
        var run = await CommandRun.OfAsync(["export-gguf", GoldenData.Committed(model), "--output", Output, .. options]);
        Assert.Equal(code, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_file_is_replaced_only_by_force()
    {
        _folder.Write("model.gguf", "mine");
        string[] args = ["export-gguf", GoldenData.Committed("qwen2"), "--output", Output];
        var refused = await CommandRun.OfAsync(args);
        Assert.Equal(2, refused.Code);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await CommandRun.OfAsync([.. args, "--force"])).Code);
    }
}
