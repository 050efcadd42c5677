using DeRa.Cli.Bench.Pairs;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Pairs;

public class PairCommandTests
{
    [Fact]
    public async Task An_unknown_size_is_named()
    {
        var run = await CommandRun.OfAsync("bench", "pair", "3b", "--output", "x");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("'3b'", run.Error, StringComparison.Ordinal);
        Assert.Contains("1b-152k", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_that_exists_is_overwritten()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.File("aligned"));
        var run = await CommandRun.OfAsync("bench", "pair", "110m", "--output", folder.Path);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains($"--output is {folder.Path}, but {folder.File("aligned")} exists already", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_without_room_is_found_before_anything_is_written()
    {
        using var folder = new TestFolder();
        // 4 petabytes.
        var shape = TinyPair.Shape with { Hidden = 1 << 20, Intermediate = 1 << 28 };
        var fault = Assert.Throws<IOException>(() =>
            RandomPairWriter.Write(shape, .1, folder.Path, TextWriter.Null, TestContext.Current.CancellationToken));
        Assert.Contains(" GB free", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Nothing_is_left_of_a_pair_that_was_cancelled()
    {
        using var folder = new TestFolder();
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            RandomPairWriter.Write(TinyPair.Shape, .1, folder.Path, TextWriter.Null, stopped.Token));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
