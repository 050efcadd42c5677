using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.ApiDescription;

public sealed class ApprovedTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("one\ntwo\nthree\n", null)]
    [InlineData("one\ntwo\nthree", null)]
    [InlineData("one\r\ntwo\r\nthree\r\n", null)]
    [InlineData("one\nTWO\nthree\n", "api.txt differs at line 2:\n  approved: two\n  now:      TWO\n")]
    [InlineData("one\ntwo \nthree\n", "api.txt differs at line 2:\n  approved: two\n  now:      two \n")]
    [InlineData("one\ntwo\nthree\nfour\n", "api.txt differs at line 4:\n  approved: \n  now:      four\n")]
    [InlineData("one\n", "api.txt differs at line 2:\n  approved: two\n  now:      \n")]
    public void The_first_line_that_differs_is_shown_with_the_file_and_the_way_to_accept_it(string actual, string? expected)
    {
        _folder.Write("api.txt", "one\ntwo\nthree\n");
        var difference = Difference(actual);
        if (expected is null)
        {
            Assert.Null(difference);
            return;
        }
        Assert.StartsWith(expected, difference, StringComparison.Ordinal);
        Assert.Contains(ApprovedText.AcceptVariable + "=1", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_a_difference() =>
        Assert.StartsWith("api.txt does not exist.", Difference("one\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("one\n")]
    [InlineData(null)]
    public void An_accepted_change_is_written_and_still_fails_in_that_run(string? before)
    {
        if (before is not null) _folder.Write("api.txt", before);
        Assert.NotNull(Difference("two", accept: true));
        Assert.Equal("two\n", File.ReadAllText(Path.Combine(_folder.Path, "api.txt")));
        Assert.Null(Difference("two", accept: true));
        Assert.Null(Difference("two"));
    }

    public void Dispose() => _folder.Dispose();

    private string? Difference(string actual, bool accept = false) => ApprovedText.Difference(_folder.Path, "api.txt", actual, accept);
}
