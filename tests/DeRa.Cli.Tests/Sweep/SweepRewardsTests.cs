using System.Text.Json.Nodes;
using DeRa.Cli.Tests.Bench.Serve;
using DeRa.Testing;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed class SweepRewardsTests : IDisposable
{
    private static readonly string[] s_pair =
        ["--reference", GoldenData.Committed("pair/sft"), "--aligned", GoldenData.Committed("pair/aligned"), "--device", "cpu"];

    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_judge_of_the_file_has_its_key_its_rubric_and_its_concurrency()
    {
        const int completions = 12;
        var (number, all) = (0, new TaskCompletionSource());
        await using var judge = await ScriptedServer.StartAsync(async (context, _) =>
        {
            // Nobody is answered before all have asked: more than are asked at once by default.
            var own = Interlocked.Increment(ref number);
            if (own == completions) all.SetResult();
            await all.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($$$"""{"choices": [{"message": {"content": "I give {{{own}}}"}}]}""");
        });
        _folder.Write("rubric.txt", "Rate this:\n{completion}");
        // Not DERA_…: the server refuses such a variable that is no option, and tests beside this one start servers.
        Environment.SetEnvironmentVariable("TEST_JUDGE_KEY", "secret");
        var run = await RunAsync("""
            {"helpful": {"reward": "judge:ADDRESSv1#some-model", "rubric_file": "rubric.txt", "key_env": "TEST_JUDGE_KEY",
              "concurrency": 12, "timeout_seconds": 50}}
            """.Replace("ADDRESS", judge.Address.ToString(), StringComparison.Ordinal),
            "good", "--reward", "helpful", "--reward", "json", "--samples", "6");
        Assert.True(run.Code == 0, run.Error);
        var rows = Rows();
        Assert.Equal(completions, judge.Requests.Count);
        Assert.All(judge.Authorizations, one => Assert.Equal("Bearer secret", one));
        Assert.All(judge.Requests, one => Assert.Equal("some-model", (string)one["model"]!));
        Assert.Equal(rows.Select(row => "Rate this:\n" + (string)row["completion"]!).Order(StringComparer.Ordinal),
            judge.Requests.Select(one => (string)one["messages"]![0]!["content"]!).Order(StringComparer.Ordinal));
        Assert.Equal(Enumerable.Range(1, completions), rows.Select(row => (int)row["rewards"]!["helpful"]!).Order());
        var settings = await File.ReadAllTextAsync(Path.Combine(Output, "settings.json"), TestContext.Current.CancellationToken);
        Assert.Contains("some-model by the rubric ", settings, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", settings, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cat >/dev/null", "no line came for 1 s")]
    [InlineData("exit 3", "the command exited with code 3")]
    [InlineData("echo NaN", "'NaN' is neither a finite number nor")]
    [InlineData("head -c 10000000 /dev/zero | tr \"\\\\0\" x; echo", "xxx…' is neither a finite number nor")]
    public async Task Completions_that_cannot_be_scored_have_none_and_the_sweep_ends(string failure, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX sh");
        var command = $"command:sh -c 'while read -r line; do case $line in *bad*) {failure};; *) echo 1;; esac; done'";
        var run = await RunAsync(new JsonObject
        {
            ["program"] = new JsonObject { ["reward"] = command, ["timeout_seconds"] = 1 },
        }.ToJsonString(), "bad\ngood", "--reward", "program", "--samples", "2");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("a completion has no score: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Contains("4 completions have no score of program", run.Out, StringComparison.Ordinal);
        Assert.All(Rows(), row =>
            Assert.Equal((string)row["prompt"]! == "bad" ? null : 1.0, (double?)row["rewards"]!["program"]));
    }

    [Theory]
    [InlineData("""{"a b": "json"}""", "'a b' is no name for a reward")]
    [InlineData("""{"happy": "sentimental"}""", "reward 'sentimental' is not known")]
    public async Task A_wrong_file_is_refused(string file, string message)
    {
        var run = await RunAsync(file, "good", "--reward", "happy");
        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(string rewards, string prompts, params string[] arguments)
    {
        _folder.Write("rewards.json", rewards);
        _folder.Write("prompts.txt", prompts);
        return CommandRun.OfAsync(["sweep", .. s_pair, .. arguments, "--rewards", Path.Combine(_folder.Path, "rewards.json"),
            "--prompts", Path.Combine(_folder.Path, "prompts.txt"), "--strengths", "0,1", "--max-tokens", "4",
            "--output", Output]);
    }

    private List<JsonNode> Rows() =>
        [.. File.ReadLines(Path.Combine(Output, "results.jsonl")).Select(line => JsonNode.Parse(line)!)];
}
