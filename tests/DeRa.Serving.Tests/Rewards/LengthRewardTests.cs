using DeRa.Serving.Rewards;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class LengthRewardTests
{
    [Theory]
    [InlineData(39, true, -1)]
    [InlineData(40, true, 0)]
    [InlineData(50, true, 0)]
    [InlineData(51, true, -1)]
    [InlineData(45, false, -1)]
    public async Task Only_a_finished_completion_within_the_range_scores_zero(int tokens, bool finished, double expected)
    {
        using var reward = RewardSpec.Parse("length:40-50");
        var scores = await reward.ScoreAsync([new("", "", tokens, finished)], TestContext.Current.CancellationToken);
        Assert.Equal([RewardScore.Of(expected)], scores);
    }
}
