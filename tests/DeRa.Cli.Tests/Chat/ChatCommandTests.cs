using System.Diagnostics;
using System.Text.RegularExpressions;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Cli.Tests.Chat;

/// <summary><c>dera chat</c> in a process of its own, by lines of redirected input.</summary>
public partial class ChatCommandTests
{
    private const string Lines = """
        /seed 3
        /strength 0
        Write a story about a dog
        /strength 2
        /clear
        Write a story about a dog
        /strength 99
        Write a story about a dog
        /strength 1
        And then?
        /quit

        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pair_and_a_server_answer_alike_at_the_strength_that_was_set_last()
    {
        await using var server = await DefaultPairServer.StartAsync();
        string[] expected =
        [
            "seed 3", "λ = 0", await RespondAsync(server, "0"), "λ = 2", "the conversation is forgotten", await RespondAsync(server, "2"),
            "λ = 99", "'alignment_strength' is 99; it must be between -1 and 10.", "λ = 1",
        ];
        string[][] ways = [["--device", "cpu"], ["--url", server.Http.BaseAddress!.ToString()]];
        var last = new List<string>();
        foreach (var way in ways)
        {
            using var chat = new CliProcess(["chat", "--max-tokens", "20", .. way]);
            await chat.WriteAsync(Lines);
            var run = await chat.EndAsync();
            Assert.Equal((0, ""), (run.Code, run.Error));
            Assert.DoesNotContain('\e', run.Out);
            var said = run.Out.ReplaceLineEndings("\n").TrimEnd('\n');
            Assert.StartsWith(string.Join('\n', expected), said, StringComparison.Ordinal);
            last.Add(said);
        }
        // The last answer goes on from the one before: the refused message is not in the conversation.
        Assert.Equal(last[0], last[1]);
    }

    [Fact]
    public async Task An_interruption_stops_the_answer_and_not_the_program()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var chat = new CliProcess("chat", "--url", server.Http.BaseAddress!.ToString());
        await chat.WriteAsync("Hello\n");
        await chat.ReadAsync("aaa");
        chat.Signal("INT");
        await chat.ReadAsync("…\n");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
        await chat.WriteAsync("/strength\n/quit\n");
        var run = await chat.EndAsync();
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("λ = the model's default", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_typed_wrong_is_told_and_the_chat_goes_on()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        using var chat = new CliProcess("chat", "--url", server.Http.BaseAddress!.ToString());
        await chat.WriteAsync("/strength much\n/seed x\n/strenght 1\n/help\nHello\n");
        chat.CloseInput();
        var run = await chat.EndAsync();
        Assert.Equal(0, run.Code);
        Assert.Contains("/strength is 'much'; it must be a number", run.Out, StringComparison.Ordinal);
        Assert.Contains("/seed is 'x'; it must be a whole number", run.Out, StringComparison.Ordinal);
        Assert.Contains("'/strenght' is not known; /help", run.Out, StringComparison.Ordinal);
        Assert.Contains("/system TEXT", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("fine", run.Out.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_the_tokens_are_coloured_by_their_implicit_reward()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "needs script, which makes a terminal");
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var start = new ProcessStartInfo("/usr/bin/script",
            ["-qec", $"{CliProcess.ShellCommand} chat --strength 1.5 --url {server.Http.BaseAddress}", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["TERM"] = "xterm-256color", ["COLORTERM"] = "truecolor" },
        };
        start.Environment.Remove("NO_COLOR");
        using var terminal = Process.Start(start)!;
        await terminal.StandardInput.WriteAsync("Hello\n\e[A\n/quit\n");
        await terminal.StandardInput.FlushAsync(Stop);
        var shown = await terminal.StandardOutput.ReadToEndAsync(Stop);
        await terminal.WaitForExitAsync(Stop);
        Assert.Contains("λ 1.5 > ", shown, StringComparison.Ordinal);
        Assert.Contains("fine", Colours().Replace(shown, ""), StringComparison.Ordinal);
        // The arrow has brought the first line back.
        Assert.Equal(8, Coloured().Count(shown));
        Assert.Contains("5 tokens, implicit reward ", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        using var chat = new CliProcess("chat", "--url", "http://127.0.0.1:1");
        await chat.WriteAsync("Hello\n/quit\n");
        var run = await chat.EndAsync();
        Assert.Equal(1, run.Code);
        Assert.Contains("http://127.0.0.1:1/: ", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--url is given beside --reference or --aligned", "--url", "http://localhost:1", "--reference", "a", "--aligned", "b")]
    [InlineData("--model names one of a server's models", "--model", "a")]
    [InlineData("--url is 'here'; it must be an address", "--url", "here")]
    public async Task Options_that_do_not_go_together_are_refused(string expected, params string[] options)
    {
        var run = await CommandRun.OfAsync(["chat", .. options]);
        Assert.Equal(2, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private static async Task<string> RespondAsync(ServerFixture server, string strength) => (await server.ChatAsync($$"""
        {"messages":[{"role":"user","content":"Write a story about a dog"}],"seed":3,"max_tokens":20,"lambda":{{strength}}}
        """)).Text();

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colours();

    [GeneratedRegex(@"\e\[38;2;[0-9;]*m[fine]\e\[0m")]
    private static partial Regex Coloured();
}
