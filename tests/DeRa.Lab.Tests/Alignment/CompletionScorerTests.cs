using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Alignment;

public sealed class CompletionScorerTests
{
    [Fact]
    public void The_reward_sees_the_completion_without_its_end_token()
    {
        using var reward = new Listening();
        var prompt = new EncodedPrompt("Hi", [ByteTokenizer.Bos, 'H', 'i']);
        int[] written = [' ', 0xC3, 0xA9];
        var scores = new CompletionScorer(new ByteTokenizer(), reward).Score(
            [prompt, prompt], [new(prompt.Tokens, [.. written, ByteTokenizer.Eos], true), new(prompt.Tokens, written, false)],
                TestContext.Current.CancellationToken);
        Assert.Equal([new Completion("Hi", " é", 3, true), new Completion("Hi", " é", 3, false)], reward.Heard);
        Assert.Equal([0, 1], scores);
    }

    [Fact]
    public void Special_tokens_within_a_completion_are_no_text()
    {
        using var reward = new Listening();
        var prompt = new EncodedPrompt("Hi", [ByteTokenizer.Bos, 'H', 'i']);
        new CompletionScorer(new ByteTokenizer(), reward).Score(
            [prompt], [new(prompt.Tokens, ['a', ByteTokenizer.Bos, 'b'], false)], TestContext.Current.CancellationToken);
        Assert.Equal("ab", Assert.Single(reward.Heard).Text);
    }

    private sealed class Listening : IReward
    {
        public List<Completion> Heard { get; } = [];

        public string Name => "listening";

        public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation)
        {
            Heard.AddRange(completions);
            return new([.. completions.Select((_, i) => RewardScore.Of(i))]);
        }
    }
}
