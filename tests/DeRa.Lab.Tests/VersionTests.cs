using DeRa.Lab.Commands;
using Xunit;

namespace DeRa.Lab.Tests;

public class VersionTests
{
    [Fact]
    public async Task The_version_is_told()
    {
        using var output = new StringWriter();
        Assert.Equal(0, await LabCommands.RunAsync(["--version"], output, TextWriter.Null, TestContext.Current.CancellationToken));
        Assert.Matches(@"^\d+\.\d+\.\d+", output.ToString());
    }
}
