using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Commands;

public sealed class PipelineTests(TinyPair pair)
{
    private static readonly string[] s_cpu = ["--device", "cpu", "--threads", "1"];

    [Fact]
    public async Task A_trained_model_predicts_its_texts_and_writes_such_texts()
    {
        var loss = await LabRun.OutputAsync(["loss", "--model", pair.Model, "--text", pair.Text, .. s_cpu]);
        // A uniform guess would cost ln 300 = 5.7 nats a token.
        Assert.InRange(double.Parse(Regex.Match(loss, "([0-9.]+) a token").Groups[1].Value, CultureInfo.InvariantCulture), 0.1, 1.5);
        var texts = await LabRun.OutputAsync(["sample", "--reference", pair.Model, "--count", "5", "--max-tokens", "40", .. s_cpu]);
        Assert.Equal(5, Regex.Count(texts, "^---$", RegexOptions.Multiline));
        Assert.Matches(@"(Tom|Lily|Ben|The cat|The dog) (ran|sat|saw|was|went|had)", texts);
    }

    [Fact]
    public async Task Fine_tuning_goes_on_from_a_model_on_completions_alone()
    {
        using var folder = new TemporaryFolder();
        const string chat = "{\"prompt\": \"User: Tom?\\n\\nAssistant:\", \"completion\": \" Tom sat.\"}";
        var chats = folder.Write("chats.jsonl", string.Join('\n', Enumerable.Repeat(chat, 20)));
        var output = Path.Combine(folder.Path, "sft");
        await LabRun.OutputAsync(
            ["train", "--from", pair.Model, "--text", chats, "--output", output, "--row-tokens", "47", "--batch-rows", "4",
            "--steps", "60", "--warmup-steps", "5", "--learning-rate", "1e-2", "--dtype", "bfloat16", .. s_cpu]);
        var answers = await LabRun.OutputAsync(
            ["sample", "--reference", output, "--prompt", "User: Tom?\n\nAssistant:", "--count", "4", "--max-tokens", "20", .. s_cpu]);
        Assert.Contains("Assistant: Tom sat.", answers);
        var loss = await LabRun.OutputAsync(["loss", "--model", output, "--text", chats, .. s_cpu]);
        Assert.InRange(double.Parse(Regex.Match(loss, "([0-9.]+) a token").Groups[1].Value, CultureInfo.InvariantCulture), 0, 0.3);
    }

    [Fact]
    public async Task Samples_are_kept_with_their_prompts_where_they_ended_by_themselves()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "samples.jsonl");
        string[] args = ["sample", "--reference", pair.Model, "--prompt", "Tom", "--prompt", "The cat", "--count", "30", "--batch", "7",
            "--max-tokens", "12", "--output", file, .. s_cpu];
        Assert.Equal("", await LabRun.OutputAsync(args));
        var lines = (await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken))
            .Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.InRange(lines.Length, 5, 29);
        Assert.Equal(["The cat", "Tom"],
            lines.Select(line => line.GetProperty("prompt").GetString()!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.EndsWith(".", line.GetProperty("completion").GetString()!));
        // The space after the prompt belongs to the completion; a model so small now and then goes on within the word.
        var spaced = lines.Count(line => Regex.IsMatch(line.GetProperty("completion").GetString()!, "^( [a-z]|\\.)"));
        Assert.InRange(spaced, lines.Length - 2, lines.Length);
        Assert.All(lines, line => Assert.DoesNotContain("<|endoftext|>", line.GetProperty("completion").GetString()!));
    }

    [Fact]
    public async Task Evaluation_sweeps_the_strength_and_writes_a_table_and_plots()
    {
        using var folder = new TemporaryFolder();
        var output = Path.Combine(folder.Path, "new", "sweep");
        var run = await LabRun.OfAsync(
            ["evaluate", "--reference", pair.Model, "--aligned", pair.Model, "--strengths", "0", "0.5", "2", "--reward", "length:3-12",
            "--prompts", pair.Text, "--prompt-tokens", "2", "--prompt-count", "4", "--completions", "4", "--max-tokens", "20",
            "--output", output, .. s_cpu]);
        Assert.Equal(0, run.Code);
        Assert.Equal(4, run.Out.Trim().Split('\n').Length);
        Assert.Equal(
            [$"4 prompts of --prompts {pair.Text}, 4 completions each at 3 strengths",
                "evaluate [######..............] 1/3  λ = 0", "evaluate [#############.......] 2/3  λ = 0.5",
                "evaluate [####################] 3/3  λ = 2"],
            run.Error.TrimEnd().Split(Environment.NewLine));
        var csv = await File.ReadAllLinesAsync(output + ".csv", TestContext.Current.CancellationToken);
        Assert.Equal("strength,reward,reward_low,reward_high,tokens,tokens_low,tokens_high", csv[0]);
        Assert.Equal(["0", "0.5", "2"], csv[1..].Select(line => line.Split(',')[0]));
        Assert.All(csv[1..], line => Assert.InRange(double.Parse(line.Split(',')[1], CultureInfo.InvariantCulture), -1, 0));
        Assert.True(File.Exists(output + ".svg") && File.Exists(output + ".png"));
    }

    [Fact]
    public async Task A_single_model_is_evaluated_at_strength_0()
    {
        var run = await LabRun.OfAsync(["evaluate", "--reference", pair.Model, "--reward", "length:3-12", "--prompts", pair.Text,
            "--prompt-tokens", "2", "--prompt-count", "2", "--completions", "2", "--max-tokens", "20", .. s_cpu]);
        Assert.Equal(0, run.Code);
        Assert.Equal(["strength", "0"], run.Out.Trim().Split('\n').Select(line => line.TrimStart().Split(' ')[0]));
    }

    [Fact]
    public async Task At_a_low_temperature_samples_are_alike()
    {
        async Task<int> DifferentAsync(string temperature)
        {
            var texts = await LabRun.OutputAsync(["sample", "--reference", pair.Model, "--prompt", "Tom", "--count", "20",
                "--max-tokens", "12", "--temperature", temperature, .. s_cpu]);
            return texts.Split("---", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().Count();
        }
        Assert.InRange(await DifferentAsync("0.01"), 1, 3);
        Assert.InRange(await DifferentAsync("1"), 6, 20);
    }

    [Fact]
    public async Task Pairs_are_compared_on_the_same_prompts_in_random_order()
    {
        var markdown = await LabRun.OutputAsync(
            ["compare", "--reference", pair.Model, "--aligned", pair.Model, "--other-reference", pair.Model,
            "--prompt", "Tom", "--prompt", "The cat", "--count", "4", "--max-tokens", "12", .. s_cpu]);
        // Two equal pairs write the same texts: each is there twice.
        var texts = Regex.Matches(markdown, @"^\d\.\n\n((?:>.*\n)+)", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal((8, 4), (texts.Length, texts.Count(text => text.StartsWith("> Tom", StringComparison.Ordinal))));
        Assert.All(texts.CountBy(text => text), count => Assert.True(int.IsEvenInteger(count.Value)));
        Assert.Matches(@"Key: the first pair wrote \d, \d, \d, \d; the second \d, \d, \d, \d\.\n$", markdown);
    }
}
