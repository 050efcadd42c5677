using System.Globalization;
using System.Text.Json;
using DeRa.Cli.Tests.Bench;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Score;

public sealed class ScoreCommandTests : IDisposable
{
    private static readonly string[] s_pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Output => _folder.File("scores.csv");

    [Fact]
    public async Task Scores_are_the_golden_float64_ones()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(GoldenData.Committed("pair/mix-sft-aligned/mix.json")));
        foreach (var score in golden.RootElement.GetProperty("scores").EnumerateArray())
        {
            var prompt = golden.RootElement.GetProperty("prompts").GetProperty(score.GetProperty("prompt").GetString()!)
                .GetProperty("input_ids").GetRawText();
            var items = Write($$"""{"prompt":{{prompt}},"continuation":{{score.GetProperty("continuation_ids").GetRawText()}}}""");
            var strength = score.GetProperty("lambda").GetDouble();
            AssertWell(await RunAsync("--items", items, "--strengths", Text(strength), "--force"));
            var row = Assert.Single(Rows());
            var logProbs = Doubles(score, "logp_mixed");
            var tolerance = 1e-4 * logProbs.Length * (Math.Abs(strength) + Math.Abs(1 - strength));
            Assert.Equal(("1", Text(strength), Text(logProbs.Length)), (row["line"], row["alignment_strength"], row["tokens"]));
            Assert.Equal(logProbs.Sum(), Number(row["logprob"]), tolerance);
            Assert.Equal(Doubles(score, "logp_sft").Sum(), Number(row["logprob_reference"]), tolerance);
            Assert.Equal(Doubles(score, "logp_aligned").Sum(), Number(row["logprob_aligned"]), tolerance);
            Assert.Equal(Math.Exp(-Number(row["logprob"]) / logProbs.Length), Number(row["perplexity"]), 1e-9 * Number(row["perplexity"]));
        }
    }

    [Fact]
    public async Task An_interrupted_run_goes_on_to_the_same_bytes_wherever_it_stopped()
    {
        var items = Write([.. Enumerable.Range(1, 20).Select(i => $$"""{"prompt":"Once upon","continuation":"{{new string('a', i)}}"}""")]);
        string[] command = ["--items", items, "--strengths", "0:1:0.5"];
        AssertWell(await RunAsync([.. command, "--output", _folder.File("whole.csv")]));
        var whole = File.ReadAllBytes(_folder.File("whole.csv"));
        Assert.False(File.Exists(_folder.File("whole.csv.run.json")));

        using (var stop = new CancellationTokenSource())
        {
            var error = new StoppingWriter(stop, "Scored 8 of 20");
            var code = await Commands.RunAsync(["score", .. s_pair, .. command, "--output", Output], TextWriter.Null, error, stop.Token);
            Assert.Equal(130, code);
        }
        var saved = File.ReadAllBytes(Output);
        Assert.InRange(saved.Length, whole.Length / 4, whole.Length - 1);
        Assert.Equal(whole[..saved.Length], saved);
        var about = File.ReadAllText(Output + ".run.json");
        foreach (var length in (int[])[saved.Length, saved.Length - 1, saved.Length / 2, 30, 0])
        {
            File.WriteAllBytes(Output, whole[..length]);
            File.WriteAllText(Output + ".run.json", about);
            AssertWell(await RunAsync(command));
            Assert.Equal(whole, File.ReadAllBytes(Output));
            Assert.False(File.Exists(Output + ".run.json"));
        }
    }

    [Fact]
    public async Task A_run_that_is_killed_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        var items = Write([.. Enumerable.Range(0, 400).Select(i => $$"""{"prompt":"Once upon","continuation":" a time {{i}}"}""")]);
        string[] command = ["score", .. s_pair, "--items", items, "--strengths", "0:2:0.1"];
        using (var killed = new CliProcess([.. command, "--output", Output]))
        {
            // A poll: the file decides, not the time; a run that ends before is whole.
            while (!killed.HasExited && (!File.Exists(Output) || new FileInfo(Output).Length < 10_000))
                await Task.Delay(2, TestContext.Current.CancellationToken);
            killed.Signal("KILL");
            await killed.EndAsync();
        }
        if (File.Exists(Output + ".run.json")) AssertWell(await CommandRun.OfAsync([.. command, "--output", Output]));
        AssertWell(await CommandRun.OfAsync([.. command, "--output", _folder.File("whole.csv")]));
        Assert.Equal(File.ReadAllText(_folder.File("whole.csv")), File.ReadAllText(Output));
    }

    [Fact]
    public async Task Another_command_does_not_go_on_with_a_file_and_a_whole_one_is_kept()
    {
        var items = Write("""{"prompt":"a","continuation":"b"}""");
        AssertWell(await RunAsync("--items", items, "--strengths", "0"));
        await RefusedAsync("is there already; --force replaces it", "--items", items, "--strengths", "0");

        File.WriteAllText(Output + ".run.json", "{}");
        await RefusedAsync("was begun with another 'lines'", "--items", items, "--strengths", "1");
        File.WriteAllText(Output + ".run.json", "{");
        await RefusedAsync("cannot be read", "--items", items, "--strengths", "1");
        AssertWell(await RunAsync("--items", items, "--strengths", "1", "--force"));
        Assert.Equal("1", Assert.Single(Rows())["alignment_strength"]);
    }

    [Fact]
    public async Task Of_pairs_the_accuracy_at_each_strength_is_counted_with_intervals()
    {
        var words = (string[])["one", "two", "three", "four", "five", "six", "seven", "eight"];
        var pairs = Write([.. words.Select(word => $$"""{"prompt":"Once","chosen":" {{word}} a","rejected":" {{word}} b"}""")]);
        var run = await RunAsync("--preferences", pairs, "--strengths", "0,0.5,2");
        AssertWell(run);
        var table = Csv(run.Out.TrimEnd().Split(Environment.NewLine));
        var rows = Rows();
        Assert.Equal(3 * words.Length, rows.Count);
        Assert.Equal(["0", "0.5", "2"], table.Select(line => line["alignment_strength"]));
        foreach (var line in table)
            foreach (var measure in (string[])["logprob", "reward"])
            {
                var wins = rows.Where(row => row["alignment_strength"] == line["alignment_strength"])
                    .Select(row => Math.Sign(Number(row[$"{measure}_chosen"]) - Number(row[$"{measure}_rejected"])) / 2.0 + .5).ToList();
                Assert.Equal(wins.Average(), Number(line[$"{measure}_accuracy"]), 1e-4);
                Assert.InRange(wins.Average(), Number(line[$"{measure}_low"]) - 1e-4, Number(line[$"{measure}_high"]) + 1e-4);
            }
        // The reference model has no implicit reward: every pair is a tie.
        Assert.Equal(("0.5", "0.5", "0.5"), (table[0]["reward_accuracy"], table[0]["reward_low"], table[0]["reward_high"]));
        Assert.All(rows, row => Assert.True(row["alignment_strength"] != "0" || row["reward_chosen"] == "0"));
    }

    [Fact]
    public async Task An_implicit_reward_is_what_a_text_has_above_the_reference_model()
    {
        AssertWell(await RunAsync("--items", Write("""{"prompt":"Once","continuation":" a"}"""), "--strengths", "0.5"));
        var item = Assert.Single(Rows());
        var pairs = Write("""{"prompt":"Once","chosen":" a","rejected":" b"}""");
        AssertWell(await RunAsync("--preferences", pairs, "--strengths", "0.5", "--force"));
        var pair = Assert.Single(Rows());
        Assert.Equal(item["logprob"], pair["logprob_chosen"]);
        Assert.Equal(Number(item["logprob"]) - Number(item["logprob_reference"]), Number(pair["reward_chosen"]), 1e-12);
    }

    [Fact]
    public async Task Several_aligned_models_have_columns_and_strengths_by_name()
    {
        string[] models =
        [
            "--reference", GoldenData.Committed("pair/sft"), "--aligned", "full=" + GoldenData.Committed("pair/aligned"),
            "--aligned", "lora=" + GoldenData.Committed("pair/lora"), "--device", "cpu",
        ];
        var items = Write("""{"prompt":"Once","continuation":" a time"}""");
        AssertWell(await CommandRun.OfAsync(
            ["score", .. models, "--items", items, "--output", Output, "--strengths", "full=0.5,lora=0.25",
                "--strengths", "full=1,lora=0", "--strengths", "1"]));
        var rows = Rows();
        Assert.Equal(["full=0.5;lora=0.25", "full=1;lora=0", "1"], rows.Select(row => row["alignment_strength"]));
        Assert.Equal(Number(rows[0]["logprob_full"]), Number(rows[2]["logprob"]), 1e-3);
        Assert.Equal(rows[2]["logprob"], rows[1]["logprob"]);
        Assert.NotEqual(rows[0]["logprob_lora"], rows[0]["logprob_full"]);
    }

    [Theory]
    [InlineData("Either --items or --preferences is needed", "--strengths", "1")]
    [InlineData("--strengths holds 'much'", "--items", "{}", "--strengths", "much")]
    [InlineData("--strengths holds '11': '--strengths' is 11; it must be between -1 and 10.", "--items", "{}", "--strengths", "0,11")]
    [InlineData("none of the aligned models: aligned", "--items", "{}", "--strengths", "other=1")]
    [InlineData("lines.jsonl:2: 'continuation' has no token after its prompt",
        "--items", """{"prompt":"a","continuation":""}""", "--strengths", "1")]
    [InlineData("lines.jsonl:2: 'messages' must end with a message of the assistant",
        "--items", """{"messages":[{"role":"user","content":"a"}]}""", "--strengths", "1")]
    public async Task Bad_input_is_one_line_that_names_option_or_line(string message, params string[] arguments)
    {
        string[] given = [.. arguments.Select(argument => argument.StartsWith('{')
            ? Write("""{"prompt":"a","continuation":"b"}""", argument == "{}" ? "" : argument) : argument)];
        await RefusedAsync(message, given);
        Assert.False(File.Exists(Output));
    }

    private async Task RefusedAsync(string message, params string[] arguments)
    {
        var run = await RunAsync(arguments);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.OfAsync(
        ["score", .. s_pair, .. arguments, .. arguments.Contains("--output") ? Array.Empty<string>() : ["--output", Output]]);

    private static void AssertWell(CommandRun run) => Assert.True(run.Code == 0, run.Error);

    private string Write(params string[] lines)
    {
        File.WriteAllLines(_folder.File("lines.jsonl"), lines);
        return _folder.File("lines.jsonl");
    }

    private List<Dictionary<string, string>> Rows() => Csv(File.ReadAllLines(Output));

    private static List<Dictionary<string, string>> Csv(string[] lines) => [.. lines.Skip(1).Select(line =>
        lines[0].Split(',').Zip(line.Split(',')).ToDictionary(cell => cell.First, cell => cell.Second))];

    private static double[] Doubles(JsonElement score, string name) =>
        [.. score.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>An error stream that interrupts when a line comes to it.</summary>
    private sealed class StoppingWriter(CancellationTokenSource stop, string at) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value == at) stop.Cancel();
        }
    }
}
