using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary>The commands in the docs that take seconds, on the default pair.</summary>
public sealed class DocCommandsTests
{
    private const string Prompts = """
        for name in Lily Tom Sara Ben Anna; do
          for what in "lost a toy." "had a dog." "went to the park." "found a box."; do echo "$name $what"; done
        done > prompts.txt

        """;

    [Fact]
    public async Task Scores_are_what_the_docs_show() => Assert.Equal(2, await RunAsync("docs/realignment.md", "dera score"));

    [Theory]
    [InlineData("--strengths 0:3:0.5 --samples 4 --max-tokens 120")]
    [InlineData("--strengths auto --samples")]
    public async Task Sweeps_are_what_the_docs_show(string which)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable(ApprovedText.AcceptVariable) == "1",
            $"takes minutes of processor time: run with {ApprovedText.AcceptVariable}=1 when the default pair or the sweep has changed");
        Assert.Equal(1, await RunAsync("docs/sweep.md", which));
    }

    [Fact]
    public async Task A_comparison_is_what_the_docs_show() => Assert.Equal(1, await RunAsync("docs/sweep.md", "dera compare", Prompts));

    /// <returns>How many commands were run; what they print is what the docs say.</returns>
    private static async Task<int> RunAsync(string path, string which, string before = "")
    {
        Assert.SkipUnless(DocCommands.CanRun, DocCommands.Missing);
        var (count, difference) = await DocCommands.RunAsync(path, which,
            commands => $"dera() {{ {CliProcess.ShellCommand} \"$@\"; }}\n{before}{commands}", TestContext.Current.CancellationToken);
        Assert.True(difference is null, difference);
        return count;
    }

    [Fact]
    public async Task A_chat_is_what_the_docs_show()
    {
        Assert.SkipUnless(DocCommands.CanRun, DocCommands.Missing);
        var (run, difference) = await DocCommands.RunAsync("docs/clients.md", "dera chat",
            commands => $"dera() {{ {CliProcess.ShellCommand} \"$@\"; }}\n{commands}", TestContext.Current.CancellationToken);
        Assert.Equal(1, run);
        Assert.True(difference is null, difference);
    }
}
