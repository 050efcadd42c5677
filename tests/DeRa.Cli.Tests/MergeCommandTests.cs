using System.Globalization;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

public sealed class MergeCommandTests : IDisposable
{
    private static readonly string[] s_pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "merged");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_folder_is_a_model_and_its_distances_are_told()
    {
        var run = await MergeAsync("--strength", "0.5", "--max-tokens", "8");
        Assert.True(run.Code == 0, run.Error);
        var lines = run.Out.Split(Environment.NewLine);
        Assert.StartsWith($"{Output}: 0.5 * ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("KL from the pair's mixture at 0.5, nats a token, along 64 of its texts (", lines[1], StringComparison.Ordinal);
        Assert.Equal(["to this model", "to reference", "to aligned"], lines[2..5].Select(line => line.Split(": ")[0]));
        Assert.All(lines[2..5], line => Assert.InRange(double.Parse(line.Split(": ")[1], CultureInfo.InvariantCulture), 1e-4, 10));
        var own = await CommandRun.OfAsync("generate", "--reference", Output, "--aligned", Output, "--device", "cpu", "--seed", "1",
            "--max-tokens", "8", "Once");
        Assert.True(own.Code == 0, own.Error);
        Assert.StartsWith("Once", own.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_strength_1_it_writes_what_the_aligned_model_writes()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "prompts.txt"), "Once\nOne day\n");
        var run = await MergeAsync("--strength", "1", "--max-tokens", "4", "--prompts", Path.Combine(_folder.Path, "prompts.txt"));
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("along 8 of its texts", run.Out, StringComparison.Ordinal);
        Assert.Contains("to this model: 0" + Environment.NewLine, run.Out, StringComparison.Ordinal);
        string[] ask = ["generate", "--device", "cpu", "--strength", "1", "--seed", "3", "--max-tokens", "12", "--dtype", "float32"];
        var aligned = await CommandRun.OfAsync([.. ask, .. s_pair[..4], "Once"]);
        var merged = await CommandRun.OfAsync([.. ask, "--reference", Output, "--aligned", Output, "Once"]);
        Assert.Equal((0, aligned.Out), (merged.Code, merged.Out));
    }

    [Theory]
    [InlineData("--strength is 1.5; it must be from -0.4 to 1.4", "--strength", "1.5")]
    [InlineData("--strength is -0.5; it must be from -0.4 to 1.4", "--strength", "-0.5")]
    [InlineData("--strength is 11; it must be", "--strength", "11", "--force")]
    [InlineData("--strength is NaN; it must be", "--strength", "NaN")]
    public async Task A_strength_beyond_the_range_is_refused(string message, params string[] arguments)
    {
        var run = await MergeAsync(arguments);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public async Task A_strength_beyond_it_is_merged_by_force_but_never_with_two_aligned_models()
    {
        var run = await MergeAsync("--strength", "2", "--force", "--max-tokens", "4");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("-1 * ", run.Out, StringComparison.Ordinal);
        var two = await CommandRun.OfAsync("merge", "--reference", GoldenData.Committed("pair/sft"), "--aligned",
            "a=" + GoldenData.Committed("pair/aligned"), "--aligned", "b=" + GoldenData.Committed("pair/aligned"),
            "--strength", "1", "--output", Output + "2");
        Assert.Equal(2, two.Code);
        Assert.Contains("--aligned is given 2 times; a merge is of one aligned model.", two.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> MergeAsync(params string[] arguments) =>
        CommandRun.OfAsync(["merge", .. s_pair, .. arguments, "--output", Output]);
}
