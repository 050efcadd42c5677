using System.Globalization;
using DeRa.Lab.Tests.Commands;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Reproduction;

/// <summary>The small version of the paper's experiment: every stage runs; what it proves is nothing.</summary>
public sealed class ReproduceLengthTests
{
    [Fact]
    public async Task The_small_experiment_writes_tables_and_plots_and_goes_on_where_it_was_cut()
    {
        using var folder = new TemporaryFolder();
        string[] command = ["reproduce", "length", "--small", "--seeds", "1", "--output", folder.Path, "--threads", "1"];
        var first = await LabRun.OutputAsync(command);
        foreach (var name in new[] { "length.csv", "reward.svg", "reward.png", "length.svg", "length.png", "dpo.svg", "dpo.png" })
            Assert.True(File.Exists(Path.Combine(folder.Path, name)), name);
        var rows = File.ReadAllLines(Path.Combine(folder.Path, "length.csv")).Skip(1).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["0", "0.5", "1", "2"], rows.Select(row => row[0]));
        Assert.All(rows, row => Assert.InRange(double.Parse(row[1], CultureInfo.InvariantCulture), -1, 0));
        Assert.Contains("rank correlation", first, StringComparison.Ordinal);

        // A model and its evaluation lost, as by a cut: they are made again, and the rest is kept.
        Directory.Delete(Path.Combine(folder.Path, "seed-1", "retrained-2"), recursive: true);
        File.Delete(Path.Combine(folder.Path, "seed-1", "retrained-2.evaluation.json"));
        var second = await LabRun.OutputAsync(command);
        Assert.Contains("retrained-2: reward", second, StringComparison.Ordinal);
        Assert.DoesNotContain("retrained-0.5: reward", second, StringComparison.Ordinal);
        Assert.Equal(Report(first), Report(second));
    }

    [Fact]
    public async Task A_folder_with_another_experiment_is_refused()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "seed-1"));
        File.WriteAllText(Path.Combine(folder.Path, "seed-1", "experiment.json"), "{}");
        var run = await LabRun.OfAsync("reproduce", "length", "--small", "--seeds", "1", "--output", folder.Path);
        Assert.Equal(2, run.Code);
        Assert.Contains("other settings", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.5", "1")]
    [InlineData("0", "2")]
    [InlineData("0", "1", "11")]
    public async Task Strengths_without_0_and_1_or_out_of_range_are_refused(params string[] strengths)
    {
        using var folder = new TemporaryFolder();
        var run = await LabRun.OfAsync([
            "reproduce", "length", "--small", "--output", Path.Combine(folder.Path, "out"), "--strengths", .. strengths]);
        Assert.Equal(2, run.Code);
        Assert.Contains("--strengths", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")));
    }

    private static string Report(string output) => output[output.IndexOf("strength ", StringComparison.Ordinal)..];
}
