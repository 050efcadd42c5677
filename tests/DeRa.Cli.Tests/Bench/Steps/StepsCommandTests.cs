using System.Text.Json.Nodes;
using System.Xml.Linq;
using DeRa.Cli.Tests.Bench.Pairs;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Steps;

public class StepsCommandTests
{
    [Fact]
    public async Task A_pair_is_measured_and_written_as_table_json_and_plot()
    {
        using var pair = TinyPair.Create();
        using var folder = new TestFolder();
        var run = await CommandRun.OfAsync("bench", "steps", "--reference", pair.Reference, "--aligned", pair.Aligned, "--device", "cpu",
            "--batch", "1,3", "--context", "5,20", "--prompt", "24", "--tokens", "12", "--rounds", "2",
            "--json", folder.File("steps.json"), "--plot", folder.File("steps.svg"));

        Assert.Equal("", string.Join('\n', run.Error.Split('\n').Where(line => line.StartsWith("dera:", StringComparison.Ordinal))));
        Assert.Equal(0, run.Code);
        var json = JsonNode.Parse(File.ReadAllText(folder.File("steps.json")))!;
        Assert.True((double)json["read_bandwidth"]! > 0);
        Assert.Equal(["reference", "aligned"], json["models"]!.AsArray().Select(model => (string)model!["name"]!));
        var decode = json["decode"]!.AsArray();
        Assert.Equal(
            from context in (int[])[5, 20]
            from batch in (int[])[1, 3]
            from way in (string[])["pair", "reference alone", "aligned alone", "pair in turns"]
            select (context, batch, way),
            decode.Select(one => ((int)one!["context"]!, (int)one["batch"]!, (string)one["way"]!)));
        Assert.All(decode, one =>
        {
            var (way, passes, batch) = ((string)one!["way"]!, (double)one["passes_per_token"]!, (int)one["batch"]!);
            Assert.Equal(1e3 * batch, (double)one["milliseconds"]! * (double)one["tokens_per_second"]!, 1e-6 * 1e3 * batch);
            Assert.True((double)one["weight_bytes_per_second"]! > 0);
            if (way == "pair in turns") Assert.InRange((double)one["right_guesses"]!, 0, 1);
            else Assert.Null(one["right_guesses"]);
            if (way == "pair in turns") Assert.InRange(passes, .5, 2.5);
            else Assert.Equal(way == "pair" ? 2 : 1, passes, 1e-9);
        });
        Assert.Equal(["pair", "reference alone", "aligned alone"], json["prefill"]!.AsArray().Select(one => (string)one!["way"]!));
        Assert.All(json["prefill"]!.AsArray(),
            one => Assert.Equal(24e3, (double)one!["milliseconds"]! * (double)one["tokens_per_second"]!, 1e-3));
        Assert.True((double)json["mixed_step"]!["ratio"]! > 0);
        var scoring = json["scoring"]!;
        Assert.Equal((24, 21), ((int)scoring["tokens"]!, (int)scoring["strengths"]!));
        Assert.Equal((double)scoring["many_milliseconds"]!, (double)scoring["ratio"]! * (double)scoring["milliseconds"]!, 1e-6);
        Assert.Contains("text of 24 scored:", run.Out, StringComparison.Ordinal);
        Assert.Contains("pair in turns", run.Out, StringComparison.Ordinal);
        Assert.Contains("[8/8] decode, context 20, batch 3: pair in turns", run.Error, StringComparison.Ordinal);
        Assert.NotEmpty(XDocument.Load(folder.File("steps.svg")).Descendants());
    }

    [Fact]
    public async Task An_adapter_shares_its_bases_passes()
    {
        using var folder = new TestFolder();
        var run = await CommandRun.OfAsync("bench", "steps", "--reference", GoldenData.Committed("pair/sft"),
            "--aligned", GoldenData.Committed("pair/lora"), "--device", "cpu", "--batch", "2", "--context", "8", "--prompt", "8",
            "--tokens", "8", "--rounds", "1", "--json", folder.File("steps.json"));

        Assert.Equal(0, run.Code);
        var decode = JsonNode.Parse(File.ReadAllText(folder.File("steps.json")))!["decode"]!.AsArray();
        Assert.All(decode, one => Assert.Equal(1, (double)one!["passes_per_token"]!, 1e-9));
        Assert.All(decode, one => Assert.True((double)one!["weight_bytes_per_second"]! > 0));
        Assert.All(decode, one => Assert.Null(one!["right_guesses"]));
    }

    [Theory]
    [InlineData("--batch holds '0'; it must be numbers from 1 to 256", "--batch", "0")]
    [InlineData("--strength is 1; it must be from -100 to 100 and neither 0 nor 1", "--strength", "1")]
    [InlineData("--tokens is 1; it must be from 2", "--tokens", "1")]
    [InlineData("--random-pair is given beside --reference", "--random-pair", "110m", "--reference", "a", "--aligned", "b")]
    [InlineData("--noise is given without --random-pair", "--noise", ".1")]
    [InlineData("--noise is -1; it must be from 0 to 10", "--random-pair", "110m", "--noise", "-1")]
    [InlineData("'3b' not recognized", "--random-pair", "3b")]
    [InlineData("--plot is /nowhere/at/all.svg, but there is no folder", "--plot", "/nowhere/at/all.svg")]
    public async Task Bad_options_are_named(string expected, params string[] options)
    {
        var run = await CommandRun.OfAsync(["bench", "steps", .. options]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--context holds 60; with --tokens 12 it must be from 1 to 52 for this pair.", "--context", "60", "--tokens", "12")]
    [InlineData("--prompt is 65; it must be from 2 to 64 for this pair.", "--context", "8", "--prompt", "65")]
    public async Task Prompts_that_do_not_fit_into_the_context_are_named(string expected, params string[] options)
    {
        using var pair = TinyPair.Create();
        var run = await CommandRun.OfAsync(
            ["bench", "steps", "--reference", pair.Reference, "--aligned", pair.Aligned, "--device", "cpu", .. options]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }
}
