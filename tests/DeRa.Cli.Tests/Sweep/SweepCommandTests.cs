using System.Globalization;
using System.Text;
using System.Text.Json;
using DeRa.Cli.Tests.Bench;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class SweepCommandTests : IDisposable
{
    private static readonly string[] s_pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    private static readonly string[] s_files =
        ["results.jsonl", "results.parquet", "strengths.csv", "search.csv", "report.html", "settings.json"];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0,0.5,2", "3 of 12 prompts")]
    [InlineData("auto:0:2:0.2", "Round 2, ")]
    public async Task An_interrupted_run_goes_on_to_the_same_bytes_wherever_it_stopped(string strengths, string stopAt)
    {
        string[] command = ["--prompts", Prompts(12), "--strengths", strengths, "--samples", "2", "--max-tokens", "4", "--reward", "story"];
        AssertWell(await RunAsync("whole", command));
        using (var stop = new CancellationTokenSource())
        {
            var error = new StoppingWriter(stop, stopAt);
            var code = await Commands.RunAsync(
                ["sweep", .. s_pair, .. command, "--output", _folder.File("stopped")], TextWriter.Null, error, stop.Token);
            Assert.Equal(130, code);
        }
        var whole = File.ReadAllBytes(_folder.File("whole/results.jsonl"));
        var saved = File.ReadAllBytes(_folder.File("stopped/results.jsonl"));
        Assert.InRange(saved.Length, whole.Length / 5, whole.Length - 1);
        Assert.Equal(whole[..saved.Length], saved);
        foreach (var length in (int[])[saved.Length, saved.Length - 1, whole.Length / 2, 10, 0, whole.Length])
        {
            File.WriteAllBytes(_folder.File("stopped/results.jsonl"), whole[..length]);
            AssertWell(await RunAsync("stopped", command));
            AssertSameFiles();
        }
    }

    [Fact]
    public async Task A_run_that_is_killed_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        string[] command =
            ["--prompts", Prompts(40), "--strengths", "0:2:0.5", "--samples", "2", "--max-tokens", "8", "--reward", "sentiment"];
        using (var killed = new CliProcess(["sweep", .. s_pair, .. command, "--output", _folder.File("stopped")]))
        {
            var results = _folder.File("stopped/results.jsonl");
            // A poll: the file decides, not the time; a run that ends before is whole.
            while (!killed.HasExited && (!File.Exists(results) || new FileInfo(results).Length < 10_000))
                await Task.Delay(2, TestContext.Current.CancellationToken);
            killed.Signal("KILL");
            await killed.EndAsync();
        }
        AssertWell(await RunAsync("stopped", command));
        AssertWell(await RunAsync("whole", command));
        AssertSameFiles();
    }

    [Fact]
    public async Task A_row_is_what_a_request_of_its_own_gives()
    {
        AssertWell(await RunAsync("whole", "--prompts", Prompts(2), "--strengths", "-1:2:0.5", "--samples", "3", "--max-tokens", "8",
            "--reward", "length:0-5", "--seed", "7"));
        var rows = Rows();
        Assert.Equal(2 * 7 * 3, rows.Count);
        Assert.True(rows.Select(row => row["completion"].GetString()).Distinct().Count() > 6);
        foreach (var row in rows.Where(row => row["sample"].GetInt32() == 0))
        {
            var alone = await CommandRun.OfAsync(["generate", .. s_pair, "--strength", row["alignment_strength"].GetRawText(),
                "--seed", row["seed"].GetRawText(), "--max-tokens", "8", "--", row["prompt"].GetString()!]);
            AssertWell(alone);
            Assert.Equal(alone.Out, row["prompt"].GetString() + row["completion"].GetString() + Environment.NewLine);
            Assert.Equal(row["tokens"].GetInt32() <= 5 && row["finish_reason"].GetString() == "stop" ? 0 : -1,
                row["rewards"].GetProperty("length:0-5").GetDouble());
        }
    }

    [Fact]
    public async Task The_distance_from_the_reference_is_that_of_the_prompt_scored()
    {
        AssertWell(await RunAsync("whole", "--prompts", Prompts(2), "--strengths", "0,1.5", "--max-tokens", "1", "--reward", "json"));
        // Of one token KL does not depend on which was drawn.
        File.WriteAllLines(_folder.File("items.jsonl"),
            Enumerable.Range(1, 2).Select(i => $$"""{"prompt":"Once upon {{i}}","continuation":[5]}"""));
        AssertWell(await CommandRun.OfAsync(["score", .. s_pair, "--items", _folder.File("items.jsonl"), "--strengths", "0,1.5",
            "--output", _folder.File("scores.csv")]));
        var scores = Csv(File.ReadAllLines(_folder.File("scores.csv")));
        foreach (var row in Rows())
        {
            var score = scores.Single(score => score["line"] == $"{row["prompt_index"].GetInt32() + 1}"
                && score["alignment_strength"] == row["alignment_strength"].GetRawText());
            Assert.Equal("1", score["tokens"]);
            Assert.Equal(row["alignment_strength"].GetDouble() > 0, row["kl_to_reference"].GetDouble() > 0);
            Assert.Equal(Number(score["kl_to_reference"]), row["kl_to_reference"].GetDouble(), 1e-6);
        }
    }

    [Fact]
    public async Task The_table_and_the_recommendation_are_those_of_the_rows()
    {
        var run = await RunAsync("whole", "--prompts", Prompts(5), "--strengths", "2,1,0", "--samples", "2", "--max-tokens", "6",
            "--reward", "regex:a", "--reward", "length:0-5", "--beta", "0.1");
        AssertWell(run);
        var rows = Rows();
        var table = Csv(File.ReadAllLines(_folder.File("whole/strengths.csv")));
        Assert.Equal(["0", "1", "2"], table.Select(line => line["alignment_strength"]));
        foreach (var line in table)
        {
            var own = rows.Where(row => row["alignment_strength"].GetRawText() == line["alignment_strength"]).ToList();
            Assert.Equal(own.Count, Number(line["completions"]));
            Assert.Equal(Mean(own, "regex:a"), Number(line["regex:a"]), 1e-12);
            Assert.InRange(Number(line["regex:a"]), Number(line["regex:a_low"]), Number(line["regex:a_high"]));
            var one = rows.Where(row => row["alignment_strength"].GetRawText() == "1").ToList();
            Assert.Equal(Mean(own, "length:0-5") - Mean(one, "length:0-5"), Number(line["length:0-5_above_1"]), 1e-12);
            Assert.Equal(own.Average(row => row["tokens"].GetDouble()), Number(line["tokens"]), 1e-12);
            Assert.Equal(own.Average(row => row["kl_to_reference"].GetDouble()), Number(line["kl_to_reference"]), 1e-12);
        }
        var best = table.MaxBy(line => Number(line["regex:a"]))!["alignment_strength"];
        Assert.Contains($"regex:a is highest at λ = {best} (95 % interval ", run.Out, StringComparison.Ordinal);
        Assert.Contains("β/λ", run.Out, StringComparison.Ordinal);
        Assert.Contains("Warning: There are only 5 prompts", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_command_does_not_go_on_with_a_folder()
    {
        string[] command = ["--prompts", Prompts(1), "--samples", "1", "--max-tokens", "2", "--reward", "json"];
        AssertWell(await RunAsync("whole", [.. command, "--strengths", "1"]));
        await RefusedAsync("was begun with another 'strengths' (1, now 0)", [.. command, "--strengths", "0"]);
        AssertWell(await RunAsync("whole", [.. command, "--strengths", "0", "--force"]));
        Assert.Equal(0, Assert.Single(Rows())["alignment_strength"].GetDouble());
    }

    [Theory]
    [InlineData("--strengths holds 11; it must be between -1 and 10.", "--strengths", "11", "--reward", "json")]
    [InlineData("--strengths auto has 3 strengths to choose from; at least 9", "--strengths", "auto:0:2:1", "--reward", "json")]
    [InlineData("a sweep takes numbers", "--strengths", "aligned=1", "--reward", "json")]
    [InlineData("reward 'nothing' is not known", "--reward", "nothing")]
    [InlineData("--reward names the same reward twice", "--reward", "json", "--reward", "json")]
    [InlineData("--beta must be a number above 0.", "--beta", "0", "--reward", "json")]
    [InlineData("'temperature' is 3", "--temperature", "3", "--reward", "json")]
    [InlineData("prompts.jsonl:2: it has none of the fields messages", "--reward", "json", "{}")]
    [InlineData("prompts.jsonl:2: 'prompt' must be a text.", "--reward", "json", """{"prompt":[]}""")]
    public async Task Bad_input_is_one_line_that_names_option_or_place(string message, params string[] arguments)
    {
        File.WriteAllLines(_folder.File("prompts.jsonl"), ["\"Once\"", arguments[^1].StartsWith('{') ? arguments[^1] : ""]);
        await RefusedAsync(message,
            ["--prompts", _folder.File("prompts.jsonl"), .. arguments.Where(argument => !argument.StartsWith('{'))]);
        Assert.False(Directory.Exists(_folder.File("whole")));
    }

    private async Task RefusedAsync(string message, params string[] arguments)
    {
        var run = await RunAsync("whole", arguments);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(string folder, params string[] arguments) =>
        CommandRun.OfAsync(["sweep", .. s_pair, .. arguments, "--output", _folder.File(folder)]);

    private string Prompts(int count)
    {
        File.WriteAllLines(_folder.File("prompts.txt"), Enumerable.Range(1, count).Select(i => $"Once upon {i}"));
        return _folder.File("prompts.txt");
    }

    private List<Dictionary<string, JsonElement>> Rows() => [.. File.ReadLines(_folder.File("whole/results.jsonl"))
        .Select(line => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(line)!)];

    private void AssertSameFiles()
    {
        foreach (var file in s_files)
            Assert.Equal(TextOf($"whole/{file}"), TextOf($"stopped/{file}"));
    }

    private string? TextOf(string file) => File.Exists(_folder.File(file)) ? File.ReadAllText(_folder.File(file), Encoding.Latin1) : null;

    private static void AssertWell(CommandRun run) => Assert.True(run.Code == 0, run.Error);

    private static double Mean(List<Dictionary<string, JsonElement>> rows, string reward) =>
        rows.Average(row => row["rewards"].GetProperty(reward).GetDouble());

    private static List<Dictionary<string, string>> Csv(string[] lines) => [.. lines.Skip(1).Select(line =>
        lines[0].Split(',').Zip(line.Split(',')).ToDictionary(cell => cell.First, cell => cell.Second))];

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    /// <summary>An error stream that interrupts when a line begins so.</summary>
    private sealed class StoppingWriter(CancellationTokenSource stop, string at) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(at, StringComparison.Ordinal) == true) stop.Cancel();
        }
    }
}
