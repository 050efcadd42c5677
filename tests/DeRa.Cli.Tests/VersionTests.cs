using Xunit;

namespace DeRa.Cli.Tests;

public class VersionTests
{
    [Fact]
    public async Task The_version_is_told()
    {
        var run = await CommandRun.OfAsync("--version");
        Assert.Equal(0, run.Code);
        Assert.Matches(@"^\d+\.\d+\.\d+", run.Out);
    }
}
