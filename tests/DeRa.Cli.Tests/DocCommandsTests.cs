using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary>The commands in the docs that take seconds, on the default pair.</summary>
public sealed class DocCommandsTests
{
    [Fact]
    public async Task Scores_are_what_the_docs_show()
    {
        Assert.SkipUnless(DocCommands.CanRun, DocCommands.Missing);
        var (run, difference) = await DocCommands.RunAsync("docs/realignment.md", "dera score",
            commands => $"dera() {{ {CliProcess.ShellCommand} \"$@\"; }}\n{commands}", TestContext.Current.CancellationToken);
        Assert.Equal(2, run);
        Assert.True(difference is null, difference);
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
