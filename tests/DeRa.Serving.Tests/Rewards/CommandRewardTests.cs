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
        Assert.Equal([1, -.5, .25], await reward.ScoreAsync(Completions(3), Cancellation));
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
        Assert.Equal([1, 2], await reward.ScoreAsync(Completions(2), Cancellation));
        Assert.Equal([3], await reward.ScoreAsync(Completions(1), Cancellation));
    }

    [Fact]
    public async Task More_text_than_pipes_hold_flows_both_ways()
    {
        using var reward = Shell("while read -r line; do echo 1; done");
        var completions = Enumerable.Repeat(new Completion("", new string('x', 5000), 1, true), 500).ToArray();
        Assert.Equal(500, (await reward.ScoreAsync(completions, Cancellation)).Sum());
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_named()
    {
        using var reward = new CommandReward("no-such-scorer --fast", Long);
        Assert.Contains("cannot start 'no-such-scorer'", await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("read a; echo 1; echo oh no >&2; exit 3", "after 1 of 2 scores the command exited with code 3; it wrote last:\n  oh no")]
    [InlineData("exit 0", "after 0 of 2 scores the command exited with code 0")]
    [InlineData("read a; echo NaN; cat >/dev/null", "'NaN' is neither a finite number nor")]
    [InlineData("read a; echo 1e999; cat >/dev/null", "'1e999' is neither a finite number nor")]
    [InlineData("read a; echo '\"0.5\"'; cat >/dev/null", "is neither a finite number nor")]
    [InlineData("read a; echo loading; cat >/dev/null", "'loading' is neither a finite number nor")]
    [InlineData("read a; echo '{\"value\": 1}'; cat >/dev/null", "is neither a finite number nor {\"score\": number}")]
    public async Task What_goes_wrong_is_said(string script, string expected)
    {
        using var folder = new TemporaryFolder();
        using var reward = new CommandReward($"sh '{folder.Write("score.sh", script)}'", Long);
        Assert.Contains(expected, await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_lines_than_completions_are_noticed()
    {
        using var reward = Shell("while read -r line; do echo 1; echo 1; echo 1; done");
        var error = await Assert.ThrowsAsync<RewardException>(async () =>
        {
            for (var call = 0; call < 1000; call++) await reward.ScoreAsync(Completions(1), Cancellation);
        });
        Assert.Contains("more lines than it was sent completions", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_never_answers_is_given_up_and_killed()
    {
        using var folder = new TemporaryFolder();
        var pidFile = Path.Combine(folder.Path, "pid");
        using var reward = new CommandReward($"sh -c 'echo $$ > {pidFile}; echo thinking >&2; cat >/dev/null'", TimeSpan.FromSeconds(.5));

        Assert.Contains("after 0 of 2 scores no line came for 0.5 s", await ErrorOf(reward), StringComparison.Ordinal);

        if (File.Exists(pidFile) && int.TryParse(await File.ReadAllTextAsync(pidFile, Cancellation), out var pid)) await AssertExits(pid);
        Assert.Contains("was stopped before", await ErrorOf(reward), StringComparison.Ordinal);
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

    private static CommandReward Shell(string script) => new($"sh -c '{script}'", Long);

    private static Completion[] Completions(int count) => [.. Enumerable.Repeat(new Completion("p", "c", 1, true), count)];

    private static async Task<string> ErrorOf(CommandReward reward) =>
        (await Assert.ThrowsAsync<RewardException>(async () => await reward.ScoreAsync(Completions(2), Cancellation))).Message;

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
