using System.Diagnostics;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class CommandRewardTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public CommandRewardTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX sh");

    [Fact]
    public async Task Scores_are_numbers_or_objects_in_the_order_of_the_completions()
    {
        using var reward = Shell("""read a; read b; read c; echo 1; echo "{\"score\": -0.5}"; echo 2.5e-1; cat >/dev/null""");
        Assert.Equal([1, -.5, .25], await ScoresOf(reward, 3));
    }

    [Fact]
    public async Task The_command_is_sent_a_line_of_JSON_for_each_completion()
    {
        using var folder = new TemporaryFolder();
        var received = Path.Combine(folder.Path, "received");
        using var reward = Shell($"""while IFS= read -r line; do printf "%s\n" "$line" >> {received}; echo 0; done""");

        await reward.ScoreAsync([new("Ünd \"so\"", "two\nlines", 7, true), new("", "", 0, false)], Cancellation);

        Assert.Equal(
            [
                """{"prompt":"\u00DCnd \u0022so\u0022","completion":"two\nlines","tokens":7,"finished":true}""",
                """{"prompt":"","completion":"","tokens":0,"finished":false}""",
            ],
            await File.ReadAllLinesAsync(received, Cancellation));
    }

    [Fact]
    public async Task The_command_is_started_once_for_all_calls()
    {
        using var reward = Shell("n=0; while read -r line; do n=$((n+1)); echo $n; done");
        Assert.Equal([1, 2], await ScoresOf(reward, 2));
        Assert.Equal([3], await ScoresOf(reward, 1));
    }

    [Fact]
    public async Task More_text_than_pipes_hold_flows_both_ways()
    {
        using var reward = Shell("while read -r line; do echo 1; done");
        var completions = Enumerable.Repeat(new Completion("", new string('x', 5000), 1, true), 500).ToArray();
        Assert.Equal(500, (await reward.ScoreAsync(completions, Cancellation)).Sum(score => score.Required()));
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_named()
    {
        using var reward = new CommandReward("no-such-scorer --fast", Settings);
        Assert.Contains("cannot start 'no-such-scorer'", await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("read a; echo 1; echo oh no >&2; exit 3", "after 1 of 2 scores the command exited with code 3; it wrote last:\n  oh no")]
    [InlineData("exit 0", "after 0 of 2 scores the command exited with code 0")]
    [InlineData("read a; echo NaN; read b; echo 1", "'NaN' is neither a finite number nor")]
    [InlineData("read a; echo 1e999; read b; echo 1", "'1e999' is neither a finite number nor")]
    [InlineData("read a; echo '\"0.5\"'; read b; echo 1", "is neither a finite number nor")]
    [InlineData("read a; echo loading; read b; echo 1", "'loading' is neither a finite number nor")]
    [InlineData("read a; echo '{\"value\": 1}'; read b; echo 1", "is neither a finite number nor {\"score\": number}")]
    public async Task What_goes_wrong_is_said(string script, string expected)
    {
        using var folder = new TemporaryFolder();
        using var reward = new CommandReward($"sh '{folder.Write("score.sh", script)}'", Settings);
        Assert.Contains(expected, await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_lines_than_completions_are_noticed_and_the_command_given_up()
    {
        using var reward = Shell("while read -r line; do echo 1; echo 1; echo 1; done");
        RewardScore score;
        do score = Assert.Single(await reward.ScoreAsync(Completions(1), Cancellation));
        while (score.Error is null);
        Assert.Contains("more lines than it was sent completions", score.Error, StringComparison.Ordinal);
        Assert.Equal(score, Assert.Single(await reward.ScoreAsync(Completions(1), Cancellation)));
    }

    [Theory]
    [InlineData("cat >/dev/null", "no line came for 3 s", 3)]
    [InlineData("exit 3", "the command exited with code 3", 60)]
    [InlineData("echo NaN", "'NaN' is neither a finite number nor", 60)]
    [InlineData("head -c 10000000 /dev/zero | tr \"\\\\0\" x; echo", "xxx…' is neither a finite number nor", 60)]
    public async Task What_fails_at_one_completion_leaves_the_others_their_scores(string failure, string expected, int timeoutSeconds)
    {
        using var reward = new CommandReward(
            $"sh -c 'while read -r line; do case $line in *bad*) {failure};; *) echo 1;; esac; done'",
            new RewardSettings { Timeout = TimeSpan.FromSeconds(timeoutSeconds) });
        Completion[] completions = [.. Enumerable.Range(0, 6).Select(i => new Completion("p", i is 2 or 5 ? "bad" : "good", 1, true))];

        var scores = await reward.ScoreAsync(completions, Cancellation);

        Assert.Equal([1, 1, null, 1, 1, null], scores.Select(score => score.Value));
        Assert.All([2, 5], i => Assert.Contains(expected, scores[i].Error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_command_that_fails_three_times_in_a_row_is_not_asked_for_the_rest()
    {
        using var folder = new TemporaryFolder();
        var starts = Path.Combine(folder.Path, "starts");
        using var reward = Shell($"echo start >> {starts}; exit 1");
        var scores = await reward.ScoreAsync(Completions(10), Cancellation);
        Assert.All(scores, score => Assert.Contains("exited with code 1", score.Error, StringComparison.Ordinal));
        Assert.Contains("not asked any more after it failed 3 times in a row", scores[^1].Error, StringComparison.Ordinal);
        Assert.Equal(CommandReward.MaxFailures, (await File.ReadAllLinesAsync(starts, Cancellation)).Length);
        await reward.ScoreAsync(Completions(1), Cancellation);
        Assert.Equal(CommandReward.MaxFailures + 1, (await File.ReadAllLinesAsync(starts, Cancellation)).Length);
    }

    [Fact]
    public async Task A_command_that_replies_without_reading_does_not_hang()
    {
        using var reward = new CommandReward(
            "sh -c 'echo 1; echo 2; exec sleep 600'", new RewardSettings { Timeout = TimeSpan.FromSeconds(3) });
        Completion[] completions = [.. Enumerable.Repeat(new Completion("p", new string('x', 200_000), 1, true), 2)];
        Assert.Equal([1, 2], (await reward.ScoreAsync(completions, Cancellation)).Select(score => score.Required()));
    }

    [Fact]
    public async Task Its_standard_error_is_shown_as_it_comes()
    {
        var shown = new List<string>();
        using var reward = new CommandReward(
            "sh -c 'echo loading >&2; read -r line; exit 3'", Settings with { ErrorLine = line => { lock (shown) shown.Add(line); } });
        Assert.Contains("it wrote last:\n  loading", await ErrorOf(reward), StringComparison.Ordinal);
        Assert.Contains("loading", shown);
    }

    [Fact]
    public async Task The_prompt_s_item_goes_along()
    {
        using var folder = new TemporaryFolder();
        var received = Path.Combine(folder.Path, "received");
        using var item = System.Text.Json.JsonDocument.Parse("""{"answer": "4"}""");
        using var reward = Shell($"""while IFS= read -r line; do printf "%s\n" "$line" >> {received}; echo 0; done""");
        await reward.ScoreAsync([new("p", "c", 1, true) { Item = item.RootElement }], Cancellation);
        Assert.Equal("""{"prompt":"p","completion":"c","tokens":1,"finished":true,"item":{"answer":"4"}}""",
            Assert.Single(await File.ReadAllLinesAsync(received, Cancellation)));
    }

    [Fact]
    public async Task Cancellation_kills_the_command()
    {
        using var folder = new TemporaryFolder();
        using var cancellation = new CancellationTokenSource();
        var pidFile = Path.Combine(folder.Path, "pid");
        using var reward = Shell($"read a; echo 1; read a; echo $$ > {pidFile}; echo 1; cat >/dev/null");
        await reward.ScoreAsync(Completions(2), Cancellation);

        var scoring = reward.ScoreAsync(Completions(2), cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scoring);
        await AssertExits(int.Parse(await File.ReadAllTextAsync(pidFile, Cancellation), System.Globalization.CultureInfo.InvariantCulture));
    }

    private static RewardSettings Settings => new() { Timeout = Long };

    private static CommandReward Shell(string script) => new($"sh -c '{script}'", Settings);

    private static async Task<IEnumerable<double>> ScoresOf(CommandReward reward, int count) =>
        (await reward.ScoreAsync(Completions(count), Cancellation)).Select(score => score.Required());

    private static Completion[] Completions(int count) => [.. Enumerable.Repeat(new Completion("p", "c", 1, true), count)];

    private static async Task<string> ErrorOf(CommandReward reward) =>
        (await reward.ScoreAsync(Completions(2), Cancellation)).First(score => score.Error is not null).Error!;

    private static async Task AssertExits(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(Cancellation).WaitAsync(Long, Cancellation);
        }
        catch (ArgumentException)
        {
            // It is gone already.
        }
    }
}
