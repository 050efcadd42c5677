using System.Globalization;
using System.Text.Json.Nodes;
using DeRa.Cli.Tests.Bench;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Compare;

public sealed class CompareCommandTests : IDisposable
{
    private static readonly string s_reference = GoldenData.Committed("pair/sft"), s_aligned = GoldenData.Committed("pair/aligned");

    private static readonly string[] s_generation =
        ["--samples", "3", "--max-tokens", "6", "--reward", "regex:a", "--reward", "length:0-5"];

    private readonly TestFolder _folder = new();

    public CompareCommandTests() => File.WriteAllLines(_folder.File("prompts.txt"), Enumerable.Range(1, 7).Select(i => $"Once upon {i}"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Figures_are_those_of_a_sweep_over_both_strengths()
    {
        var sweep = await SweepAsync("1,2");
        var (run, figures) = await CompareAsync("--strengths", "2,1");
        // The second is λ = 1, which a sweep compares with.
        var (two, regex) = (sweep[1], figures["rewards"]!["regex:a"]!);
        AssertIs(two, "regex:a", regex["first"]!);
        AssertIs(sweep[0], "regex:a", regex["second"]!);
        AssertIs(two, "length:0-5", figures["rewards"]!["length:0-5"]!["first"]!);
        Assert.Equal(Number(two, "regex:a_above_1"), -Value(regex["second_above_first"]!, "mean"), 1e-12);
        Assert.Equal(Number(two, "regex:a_above_1_high"), -Value(regex["second_above_first"]!, "low"), 1e-12);
        Assert.Equal(Number(two, "regex:a_wins_against_1"), 1 - Value(regex["second_wins"]!, "mean"), 1e-12);
        Assert.Equal(Number(two, "kl_to_reference"), Value(figures["first"]!["kl_to_reference"]!, "mean"), 1e-12);
        Assert.Equal(7, (int)regex["prompts"]!);
        Assert.InRange(Value(regex, "p"), 2 / 128.0, 1);
        Assert.Contains("There are only 7 prompts", run.Out, StringComparison.Ordinal);
        // Three prompts are shown.
        Assert.Equal(3, run.Out.Split("Second: λ = 1, regex:a ").Length - 1);
        Assert.Contains("\nOnce upon 3\n", run.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_pair_whose_aligned_model_is_the_reference_is_the_first_at_strength_zero()
    {
        var sweep = await SweepAsync("0,1");
        var (_, figures) = await CompareAsync(
            "--strengths", "1", "--other-reference", s_reference, "--other-aligned", $"same={s_reference}", "--show", "0");
        foreach (var reward in (string[])["regex:a", "length:0-5"])
        {
            AssertIs(sweep[1], reward, figures["rewards"]![reward]!["first"]!);
            AssertIs(sweep[0], reward, figures["rewards"]![reward]!["second"]!);
        }
        Assert.Equal(0, Value(figures["second"]!["kl_to_reference"]!, "mean"), 1e-6);
        Assert.Contains("model same", figures["second"]!["models"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--strengths must be two different numbers", "--strengths", "1")]
    [InlineData("--strengths must be two different numbers", "--strengths", "1,1")]
    [InlineData("--strengths must be two different numbers", "--strengths", "0:2:1")]
    [InlineData("--strengths holds 11; it must be between -1 and 10.", "--strengths", "1,11")]
    [InlineData("one is given without the other", "--strengths", "1", "--other-aligned", "model")]
    [InlineData("--other-url is 'nowhere'; it must be an address", "--strengths", "1", "--other-url", "nowhere")]
    [InlineData("--show is -1; it must be from 0 to 1000", "--strengths", "0,1", "--show", "-1")]
    [InlineData("--reward names the same reward twice", "--strengths", "0,1", "--reward", "json", "--reward", "json")]
    public async Task Bad_input_names_the_option(string message, params string[] arguments)
    {
        var run = await CommandRun.OfAsync(
            ["compare", "--prompts", _folder.File("prompts.txt"), "--reward", "json", .. arguments]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private async Task<(CommandRun Run, JsonNode Figures)> CompareAsync(params string[] arguments)
    {
        var run = await RunAsync("compare", [.. arguments, "--json", _folder.File("figures.json")]);
        return (run, JsonNode.Parse(File.ReadAllText(_folder.File("figures.json")))!);
    }

    private async Task<List<Dictionary<string, string>>> SweepAsync(string strengths)
    {
        await RunAsync("sweep", "--strengths", strengths, "--output", _folder.File("sweep"));
        var lines = File.ReadAllLines(_folder.File("sweep/strengths.csv"));
        return [.. lines.Skip(1).Select(line =>
            lines[0].Split(',').Zip(line.Split(',')).ToDictionary(cell => cell.First, cell => cell.Second))];
    }

    private async Task<CommandRun> RunAsync(string command, params string[] arguments)
    {
        var run = await CommandRun.OfAsync([command, "--reference", s_reference, "--aligned", s_aligned, "--device", "cpu",
            "--prompts", _folder.File("prompts.txt"), .. s_generation, .. arguments]);
        Assert.True(run.Code == 0, run.Error);
        return run;
    }

    private static void AssertIs(Dictionary<string, string> line, string name, JsonNode interval)
    {
        Assert.Equal(Number(line, name), Value(interval, "mean"), 1e-12);
        Assert.Equal(Number(line, name + "_low"), Value(interval, "low"), 1e-12);
        Assert.Equal(Number(line, name + "_high"), Value(interval, "high"), 1e-12);
    }

    private static double Number(Dictionary<string, string> line, string name) => double.Parse(line[name], CultureInfo.InvariantCulture);

    private static double Value(JsonNode node, string name) => (double)node[name]!;
}
