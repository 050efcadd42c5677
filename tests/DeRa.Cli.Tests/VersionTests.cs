using Xunit;

namespace DeRa.Cli.Tests;

public class VersionTests
{
    [Fact]
    public async Task The_version_is_told()
    {
        using var output = new StringWriter();
        Assert.Equal(0, await Commands.RunAsync(["--version"], output, TextWriter.Null));
        Assert.Matches(@"^\d+\.\d+\.\d+", output.ToString());
    }
}
