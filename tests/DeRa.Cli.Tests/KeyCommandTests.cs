using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace DeRa.Cli.Tests;

public class KeyCommandTests
{
    [Fact]
    public async Task A_key_is_random_and_its_line_holds_only_its_hash()
    {
        var (one, other) = (await CommandRun.OfAsync("key", "alice"), await CommandRun.OfAsync("key", "alice"));
        Assert.NotEqual(one.Error, other.Error);
        foreach (var run in (CommandRun[])[one, other])
        {
            Assert.Equal(0, run.Code);
            var key = run.Error.TrimEnd();
            Assert.Matches("^dera-[0-9a-f]{64}$", key);
            Assert.Equal($"alice sha256${Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key)))}", run.Out.TrimEnd());
        }
    }

    [Theory]
    [InlineData("al ice")]
    [InlineData("al:ice")]
    [InlineData("#alice")]
    [InlineData("")]
    public async Task A_name_that_would_break_the_file_is_refused(string name)
    {
        var run = await CommandRun.OfAsync("key", name);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("1 to 64 letters, digits", run.Error, StringComparison.Ordinal);
    }
}
