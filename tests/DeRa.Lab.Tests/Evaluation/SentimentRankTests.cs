using System.Globalization;
using System.Text.RegularExpressions;
using DeRa.Lab.Reports;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Evaluation;

public sealed partial class SentimentRankTests
{
    [Fact]
    public void Real_stories_are_ranked_much_as_by_an_independent_lexicon()
    {
        var (stories, lexicon) = (SharedData.Find("text/tinystories-sample-2mib.txt"), SharedData.Find("sentiment/vader_lexicon.txt"));
        Assert.SkipWhen(stories is null || lexicon is null, SharedData.Missing);

        var valences = File.ReadLines(lexicon!).Select(line => line.Split('\t')).DistinctBy(columns => columns[0])
            .ToDictionary(columns => columns[0], columns => double.Parse(columns[1], CultureInfo.InvariantCulture));
        var texts = File.ReadAllText(stories!).Split(
            "<|endoftext|>", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var correlation = RankCorrelation.Spearman(
            [.. texts.Select(SentimentReward.Score)],
            [.. texts.Select(text => Word().Matches(text.ToLowerInvariant()).Average(word => valences.GetValueOrDefault(word.Value)))]);

        Assert.True(texts.Length > 2000);
        Assert.InRange(correlation, .7, 1);
    }

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();
}
