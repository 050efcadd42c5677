using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

public class GenerateCommandTests
{
    private static readonly string[] Pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    private static Task<CommandRun> RunAsync(params string[] args) => CommandRun.OfAsync(args);

    [Fact]
    public async Task Generates_the_same_text_for_the_same_seed_and_another_for_another_strength()
    {
        string[] common = ["generate", .. Pair, "--max-tokens", "20", "--seed", "1", "Once upon a time"];
        var half = await RunAsync([.. common, "--strength", "0.5"]);
        AssertWell(half);
        Assert.StartsWith("Once upon a time", half.Out, StringComparison.Ordinal);
        Assert.True(half.Out.Length > 26);
        Assert.Equal(half.Out, (await RunAsync([.. common, "--strength", "0.5"])).Out);
        Assert.NotEqual(half.Out, (await RunAsync([.. common, "--strength", "2"])).Out);
    }

    /// <summary>It ends well, and says so in a line on the error stream.</summary>
    private static void AssertWell(CommandRun run)
    {
        Assert.Equal(0, run.Code);
        Assert.Matches(@"^\d+ tokens in [\d.]+ s, [\d.]+ tokens/s, seed -?\d+\r?\n$", run.Error);
    }

    [Fact]
    public async Task Several_strengths_are_texts_with_one_seed_each_as_it_is_alone()
    {
        string[] common = ["generate", .. Pair, "--max-tokens", "20", "Once upon a time"];
        string[] strengths = ["0", "0.5", "2", "-1"];
        var together = await RunAsync([.. common, .. strengths.SelectMany(value => new[] { "--strength", value })]);
        AssertWell(together);
        var seed = together.Error.Trim()[(together.Error.LastIndexOf(' ') + 1)..];
        var alone = new List<string>();
        foreach (var value in strengths)
            alone.Add($"λ = {value}:{Environment.NewLine}{(await RunAsync([.. common, "--strength", value, $"--seed={seed}"])).Out}");
        Assert.Equal(string.Join(Environment.NewLine, alone), together.Out);
        Assert.Equal(strengths.Length, alone.Distinct().Count());
    }

    [Fact]
    public async Task A_bad_strength_among_others_is_refused_before_any_text()
    {
        var run = await RunAsync(["generate", .. Pair, "--strength", "0", "--strength", "11", "Once"]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("alignment_strength", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Once upon a time")]
    [InlineData("Once upon a time\n")]
    [InlineData("Once upon a time\r\n")]
    public async Task A_dash_reads_the_prompt_from_standard_input(string input)
    {
        var before = Console.In;
        string[] common = ["generate", .. Pair, "--max-tokens", "20", "--seed", "1"];
        try
        {
            Console.SetIn(new StringReader(input));
            Assert.Equal((await RunAsync([.. common, "Once upon a time"])).Out, (await RunAsync([.. common, "-"])).Out);
        }
        finally
        {
            Console.SetIn(before);
        }
    }

    [Fact]
    public async Task Several_aligned_models_have_a_strength_each_and_one_may_be_an_adapter()
    {
        string[] common =
        [
            "generate", "--reference", GoldenData.Committed("pair/sft"), "--aligned", "full=" + GoldenData.Committed("pair/aligned"),
            "--aligned", "lora=" + GoldenData.Committed("pair/lora"), "--device", "cpu", "--max-tokens", "20", "--temperature", "0", "Once",
        ];
        var runs = new List<CommandRun>();
        foreach (var strengths in (string[][])[["0.5"], ["full=0.5"], ["lora=0.5"], ["full=0.5", "lora=0.5"], ["0"]])
            runs.Add(await RunAsync([.. common, .. strengths.SelectMany(value => new[] { "--strength", value })]));
        Assert.All(runs, AssertWell);
        Assert.Equal(runs[0].Out, runs[1].Out);
        Assert.Equal(4, runs.Select(run => run.Out).Distinct().Count());
    }

    [Theory]
    [InlineData("one number, or NAME=NUMBER", "much")]
    [InlineData("one number, or NAME=NUMBER", "aligned=much")]
    [InlineData("one number, or NAME=NUMBER", "0.5", "much")]
    [InlineData("--strength is 'aligned=1' beside '0.6'", "aligned=1", "0.6")]
    [InlineData("--strength is 'aligned=1' beside '0.6'", "0.6", "aligned=1")]
    [InlineData("one number, or NAME=NUMBER", "=1")]
    [InlineData("names 'aligned' twice", "aligned=1", "aligned=2")]
    [InlineData("none of the aligned models: aligned", "helpful=1")]
    public async Task A_strength_that_is_none_is_refused(string message, params string[] strengths)
    {
        var run = await RunAsync(["generate", .. Pair, .. strengths.SelectMany(value => new[] { "--strength", value }), "Once"]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("on")]
    [InlineData("Off")]
    public async Task The_text_is_the_same_with_speculation_on_and_off(string speculation)
    {
        string[] common = ["generate", .. Pair, "--max-tokens", "20", "--seed", "1", "--strength", "0.5", "Once upon a time"];
        var run = await RunAsync([.. common, "--speculation", speculation]);
        AssertWell(run);
        Assert.Equal((await RunAsync(common)).Out, run.Out);
    }

    [Theory]
    [InlineData("alignment_strength", "--strength", "11")]
    [InlineData("alignment_strength", "--strength", "NaN")]
    [InlineData("max_tokens", "--max-tokens", "-2")]
    [InlineData("temperature", "--temperature", "3")]
    [InlineData("--device", "--device", "gpu")]
    [InlineData("--dtype", "--dtype", "int3")]
    [InlineData("--cache-dtype", "--cache-dtype", "int8")]
    [InlineData("--kernels", "--kernels", "mkl")]
    [InlineData("--threads", "--threads", "0")]
    [InlineData("--speculation is 'maybe'; it must be auto, on or off.", "--speculation", "maybe")]
    [InlineData("--speculation is '1'; it must be auto, on or off.", "--speculation", "1")]
    [InlineData("--strength", "--strength", "much")]
    [InlineData("--lamda", "--lamda", "0.5")]
    public async Task Bad_input_is_one_line_that_names_the_option(string named, string option, string value)
    {
        var run = await RunAsync(["generate", .. Pair.Take(4), option, value, "Once"]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(named, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_prompt_may_begin_with_dashes_after_a_lone_double_dash() =>
        Assert.Equal(0, (await RunAsync(["generate", .. Pair, "--max-tokens", "2", "--", "--once"])).Code);

    [Theory]
    [InlineData("--context-length", "0")]
    [InlineData("--cache-tokens", "1")]
    public async Task A_size_that_cannot_be_is_named(string option, string value)
    {
        var run = await RunAsync(["generate", .. Pair, option, value, "Once"]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains($"{option} is {value}", run.Error);
    }

    [Fact]
    public async Task Without_folders_the_default_pair_writes()
    {
        var run = await RunAsync("generate", "--device", "cpu", "--max-tokens", "20", "--strength", "2", "Once upon a time");
        AssertWell(run);
        Assert.True(run.Out.Length > 26, run.Out);
    }

    [Fact]
    public async Task A_publish_holds_the_default_pair_as_files_in_a_single_file_publish_too()
    {
        var published = await PublishedFiles.BesideSingleFileAsync("DeRa.Cli", TestContext.Current.CancellationToken);
        Assert.Superset(DefaultPairWeights.Files.ToHashSet(), published.ToHashSet());
    }

    [Theory]
    [InlineData("--reference", "--aligned")]
    [InlineData("--aligned", "--reference")]
    public async Task One_folder_alone_is_refused(string given, string missing)
    {
        var run = await RunAsync("generate", given, GoldenData.Committed("pair/sft"), "Once");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.StartsWith($"dera: {given} is given without {missing}; a pair needs both.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_says_what_is_decoded_without_folders()
    {
        var run = await RunAsync("generate", "--help");
        Assert.Equal(0, run.Code);
        Assert.Contains("the default pair, which writes stories", run.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_folder_is_named()
    {
        var run = await RunAsync("generate", "--reference", "no/such/folder", "--aligned", "no/such/folder", "Once");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("no/such/folder", run.Error);
    }

    [Fact]
    public async Task Vocabularies_that_differ_are_refused_with_the_first_difference()
    {
        var run = await RunAsync(
            "generate", "--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("qwen2"), "Once");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Matches("vocabularies differ.*token \\d+ is '", run.Error);
    }

    [Theory]
    [InlineData("model.safetensors", "broken weights", "model.safetensors")]
    [InlineData("config.json", "{", "config.json")]
    [InlineData("tokenizer.json", "{}", "tokenizer.json")]
    [InlineData("generation_config.json", "{\"temperature\":-1}", "temperature")]
    public async Task A_broken_file_is_named(string file, string content, string named)
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        folder.Write(file, content);
        var run = await RunAsync("generate", "--reference", GoldenData.Committed("pair/sft"), "--aligned", folder.Path, "Once");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains(named, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }
}
