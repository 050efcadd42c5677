using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests.ApiDescription;

/// <summary>The help of every command is what was approved: no option that scripts rely on changes unnoticed.</summary>
public class HelpTextTests
{
    [Fact]
    public async Task Help_of_every_command_is_the_approved_one()
    {
        var help = await CommandHelp.OfEveryCommandAsync("dera", TestContext.Current.CancellationToken, apart: "serve");
        if (ApprovedText.Difference("tests/DeRa.Cli.Tests/ApiDescription/help.txt", help) is { } difference) Assert.Fail(difference);
    }
}
