using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.ApiDescription;

/// <summary>The help of every command is what was approved: no option that scripts rely on changes unnoticed.</summary>
public class HelpTextTests
{
    [Fact]
    public async Task Help_of_every_command_is_the_approved_one()
    {
        var help = await CommandHelp.OfEveryCommandAsync("dera-lab", TestContext.Current.CancellationToken);
        if (ApprovedText.Difference("tests/DeRa.Lab.Tests/ApiDescription/help.txt", help) is { } difference) Assert.Fail(difference);
    }
}
