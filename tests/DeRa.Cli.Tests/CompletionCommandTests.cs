using System.Diagnostics;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

/// <summary>What shells are told to complete a command line with.</summary>
public class CompletionCommandTests
{
    [Theory]
    [InlineData("dera ge", "generate")]
    [InlineData("dera generate --stre", "--strength")]
    [InlineData("dera serve --http", "--http-port")]
    [InlineData("dera completion ", "zsh")]
    public async Task The_program_tells_what_may_stand_at_the_cursor(string line, string expected)
    {
        var run = await CommandRun.OfAsync($"[suggest:{line.Length}]", line);
        Assert.Equal(0, run.Code);
        Assert.Contains(expected, run.Out.ReplaceLineEndings("\n").Split('\n'));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _dera_complete dera")]
    [InlineData("zsh", "compdef _dera dera")]
    [InlineData("fish", "complete -c dera")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Each_shell_has_its_script(string shell, string expected)
    {
        var run = await CommandRun.OfAsync("completion", shell);
        Assert.Equal(0, run.Code);
        Assert.Contains(expected, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_shell_is_refused()
    {
        var run = await CommandRun.OfAsync("completion", "tcsh");
        Assert.Equal((2, "dera: 'tcsh' is no shell that is known here; it must be bash, zsh, fish or pwsh.\n"),
            (run.Code, run.Error.ReplaceLineEndings("\n")));
    }

    [Fact]
    public async Task Bash_completes_with_its_script()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs bash");
        using var folder = new TemporaryFolder();
        var script = folder.Write("complete.bash", (await CommandRun.OfAsync("completion", "bash")).Out + $$"""
            dera() { {{CliProcess.ShellCommand}} "$@"; }
            COMP_LINE='dera generate --str'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(dera generate --str); COMP_CWORD=2
            _dera_complete
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        using var bash = Process.Start(new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true })!;
        var output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("--strength\n", output);
    }
}
