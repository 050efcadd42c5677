using System.Globalization;
using System.Runtime.Intrinsics;
using DeRa.Testing;
using Xunit;

namespace DeRa.Cli.Tests;

public class VerifyCommandTests
{
    [Fact]
    public async Task Golden_checkpoints_below_a_folder_are_verified()
    {
        var run = await CommandRun.OfAsync("verify", GoldenData.Committed(""), "--device", "cpu");
        Assert.Equal((0, ""), (run.Code, run.Error));
        var lines = run.Out.TrimEnd().Split(Environment.NewLine);
        Assert.Equal(GoldenData.CommittedModels.Count + 1, lines.Length);
        Assert.All(lines[..^1], (line, i) => Assert.Matches(
            $@"^\[{i + 1}/{lines.Length - 1}\] .+: \w+ on cpu, \d+-bit vectors: passed, \d+ comparisons, largest difference \S+ of \S+ allowed$", line));
        Assert.EndsWith($"{GoldenData.CommittedModels.Count} of {GoldenData.CommittedModels.Count} checkpoints passed", run.Out.TrimEnd());
    }

    // A machine without the width runs the next narrower one.
    [Theory]
    [InlineData(256), InlineData(128)]
    public async Task Vectors_of_every_width_pass(int bits)
    {
        using var process = new CliProcess(["verify", GoldenData.Committed(""), "--device", "cpu"],
            ("DOTNET_PreferredVectorBitWidth", bits.ToString(CultureInfo.InvariantCulture)));
        var run = await process.EndAsync();
        Assert.Equal((0, ""), (run.Code, run.Error));
        var lines = run.Out.TrimEnd().Split(Environment.NewLine);
        var widest = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        Assert.All(lines[..^1], line => Assert.Contains($"on cpu, {Math.Min(bits, widest)}-bit vectors: passed", line));
    }

    [Fact]
    public async Task Wrong_logits_fail_and_say_so()
    {
        using var folder = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        var logits = Directory.GetFiles(folder.Path, "*.f64", SearchOption.AllDirectories)[0];
        var numbers = await File.ReadAllBytesAsync(logits, TestContext.Current.CancellationToken);
        BitConverter.GetBytes(BitConverter.ToDouble(numbers) + 0.001).CopyTo(numbers, 0);
        await File.WriteAllBytesAsync(logits, numbers, TestContext.Current.CancellationToken);
        var run = await CommandRun.OfAsync("verify", folder.Path, "--device", "cpu");
        Assert.Equal(1, run.Code);
        Assert.Matches(@": FAILED, \d+ comparisons, .*\r?\n  FAILED: .+, one prefill: largest difference ", run.Out);
        Assert.EndsWith("0 of 1 checkpoints passed", run.Out.TrimEnd());
    }

    [Fact]
    public async Task A_folder_without_golden_checkpoints_is_named()
    {
        var run = await CommandRun.OfAsync("verify", "no/such/folder");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("no/such/folder", run.Error);
    }
}
