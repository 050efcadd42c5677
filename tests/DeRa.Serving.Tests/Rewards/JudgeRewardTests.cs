using DeRa.Serving.Rewards;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class JudgeRewardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chat_model_is_asked_greedily_by_the_rubric_and_its_last_number_counts()
    {
        using var server = new ScoringServer((200, """{"choices": [{"message": {"content": "Of 10 I give 7.5."}}]}"""));
        using var reward = RewardSpec.Parse($"judge:{server.Root}v1#some/model",
            new RewardSettings { Rubric = "Rate {completion} to {prompt}, 1 to 10", ApiKey = "secret" });

        var score = Assert.Single(await reward.ScoreAsync([new("{completion} and so on", "The \"end\"", 2, true)], Cancellation));

        Assert.Equal(7.5, score.Required());
        Assert.Equal("/v1/chat/completions", Assert.Single(server.Paths));
        Assert.Equal("Bearer secret", server.Authorization);
        Assert.Equal(
            """{"messages":[{"role":"user","content":"Rate The \u0022end\u0022 to {completion} and so on, 1 to 10"}],"""
                + "\"temperature\":0,\"max_tokens\":512,\"model\":\"some/model\"}",
            Assert.Single(server.Received));
    }

    [Theory]
    [InlineData("""{"choices": [{"message": {"content": "Good!"}}]}""", "there is no number in: Good!")]
    [InlineData("""{"choices": []}""", "the response has no choices[0].message.content")]
    [InlineData("""{"choices": [{"message": {"content": null}}]}""", "the response has no choices[0].message.content")]
    [InlineData("[]", "the response has no choices[0].message.content")]
    public async Task What_goes_wrong_is_said(string response, string expected)
    {
        using var server = new ScoringServer((200, response));
        using var reward = RewardSpec.Parse($"judge:{server.Root}v1");
        var score = Assert.Single(await reward.ScoreAsync([new("p", "c", 2, true)], Cancellation));
        Assert.Contains(expected, score.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rubric_without_the_completion_is_refused() =>
        Assert.Contains("must say {completion}",
            Assert.Throws<RewardException>(() => RewardSpec.Parse(
                "judge:http://localhost/v1", new RewardSettings { Rubric = "Rate {prompt}" })).Message, StringComparison.Ordinal);
}
