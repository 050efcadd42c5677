using System.Globalization;
using System.Text.RegularExpressions;
using DeRa.Cli.Tests.Bench;
using Xunit;

namespace DeRa.Cli.Tests.Sweep;

public sealed partial class AutoStrengthsTests : IDisposable
{
    private const double Step = .25;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task On_the_default_pair_it_finds_the_strength_of_the_whole_grid_with_at_most_half_the_completions()
    {
        File.WriteAllLines(_folder.File("prompts.txt"), from name in (string[])["Lily", "Tom", "Ben", "Mia", "Max"]
                                                        from what in (string[])["lost a toy.", "had a dog.", "was sad.", "saw a bird."]
                                                        select $"{name} {what}");
        var whole = await RunAsync("whole", "0:5:0.25");
        var auto = await RunAsync("auto", "auto:0:5:0.25");
        var (wholeRows, autoRows) = (await RowsAsync("whole"), await RowsAsync("auto"));
        Assert.Equal(20 * 21 * 2, wholeRows.Length);
        Assert.InRange(autoRows.Length, 1, wholeRows.Length / 2);
        Assert.Empty(autoRows.Except(wholeRows));
        var (best, found) = (Best(whole), Best(auto));
        Assert.InRange(best.Estimate, found.Low - Step, found.High + Step);
        Assert.InRange(found.Estimate, best.Low - Step, best.High + Step);
        Assert.Contains($"{autoRows.Length} completions, where all strengths would have taken 840.", auto, StringComparison.Ordinal);
        var strength = string.Create(CultureInfo.InvariantCulture, $",{found.Estimate},");
        Assert.Equal("best", (await File.ReadAllLinesAsync(_folder.File("auto/search.csv"), TestContext.Current.CancellationToken))
            .Last(line => line.Contains(strength, StringComparison.Ordinal)).Split(',')[^1]);
    }

    private async Task<string> RunAsync(string folder, string strengths)
    {
        var run = await CommandRun.OfAsync("sweep", "--prompts", _folder.File("prompts.txt"), "--strengths", strengths, "--samples", "2",
            "--max-tokens", "24", "--reward", "sentiment", "--output", _folder.File(folder), "--device", "cpu");
        Assert.True(run.Code == 0, run.Error);
        return run.Out;
    }

    private Task<string[]> RowsAsync(string folder) =>
        File.ReadAllLinesAsync(_folder.File($"{folder}/results.jsonl"), TestContext.Current.CancellationToken);

    private static (double Estimate, double Low, double High) Best(string output)
    {
        var numbers = Recommended().Match(output).Groups;
        return (Number(1), Number(2), Number(3));

        double Number(int group) => double.Parse(numbers[group].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"is highest at λ = ([\d.]+) \(95 % interval ([\d.]+) to ([\d.]+)\)")]
    private static partial Regex Recommended();
}
