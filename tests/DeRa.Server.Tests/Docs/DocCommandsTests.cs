using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Docs;

/// <summary>The requests in the docs, sent to a server on the default pair.</summary>
public sealed class DocCommandsTests
{
    [Theory]
    [InlineData("README.md", 3)]
    [InlineData("docs/realignment.md", 6)]
    public Task Requests_give_what_the_docs_show(string path, int count) => VerifyAsync(path, count, []);

    [Fact]
    public async Task Requests_with_rewards_give_what_the_docs_show()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "Python is missing");
        using var folder = new TemporaryFolder();
        var program = folder.Write("score.py", """
            import json, sys
            for line in sys.stdin:
                item = json.loads(line)
                print(len(set(item["completion"].split())) / 50, flush=True)
            """);
        Assert.Contains(await File.ReadAllTextAsync(program, ServerFixture.Stop), await File.ReadAllTextAsync(
            Path.Combine(SharedData.ProjectRoot, "docs/rewards.md"), ServerFixture.Stop), StringComparison.Ordinal);
        var rewards = folder.Write("rewards.json",
            $$"""{"happy": "sentiment", "varied": "command:/usr/bin/python3 {{program}}", "aligned": "implicit"}""");
        await VerifyAsync("docs/rewards.md", 1, ["--rewards", rewards]);
    }

    private static async Task VerifyAsync(string path, int count, string[] arguments)
    {
        Assert.SkipUnless(DocCommands.CanRun, DocCommands.Missing);
        await using var server = await DefaultPairTests.StartAsync(null, arguments);
        var authority = server.Http.BaseAddress!.Authority;
        var (run, difference) = await DocCommands.RunAsync(
            path, "curl -s", commands => commands.Replace("localhost:8080", authority, StringComparison.Ordinal), ServerFixture.Stop);
        Assert.Equal(count, run);
        Assert.True(difference is null, difference);
    }
}
