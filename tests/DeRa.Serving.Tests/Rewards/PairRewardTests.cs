using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Scoring;
using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

/// <summary>Rewards that models compute.</summary>
public sealed class PairRewardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_implicit_reward_is_the_log_ratio_of_the_pair()
    {
        var pair = await LoadedPair.DefaultAsync();
        using var engine = pair.Engine;
        using var reward = RewardSpec.Parse("implicit", new RewardSettings { Pair = pair });
        int[] prompt = [.. pair.Tokenizer.Encode("Lily lost her toy.")];
        int[] generated = [.. pair.Tokenizer.Encode("Lily lost her toy. She was sad.").Skip(prompt.Length)];
        Completion[] completions =
        [
            new("Lily lost her toy.", " She was sad.", 3, true),
            new("", "", 0, true),
            new("Lily lost her toy.", " anything", 3, true) { Sequence = new CompletionTokens(prompt, generated) { Client = "one" } },
        ];

        var scores = await reward.ScoreAsync(completions, Cancellation);

        var scoring = new ScoringService(pair);
        var expected = (await scoring.RunAsync(scoring.Prepare(new ScoreInput
        {
            Items = [new ScoreItem(new TokenPrompt(prompt), new TokenPrompt(generated), "item")],
            Sweep = [new SweepStrength(0, null, "0"), new SweepStrength(1, null, "1")],
        }), Cancellation))[0];
        Assert.Equal(expected.LogProb(1) - expected.LogProb(0), scores[0].Required(), 1e-4);
        Assert.Contains("reward implicit: ", scores[1].Error, StringComparison.Ordinal);
        Assert.Equal(scores[0].Required(), scores[2].Required(), 1e-5);
    }

    [Fact]
    public async Task A_reward_model_scores_prompt_and_completion_as_one_text()
    {
        using var folder = ClassifierFolder.Write(new TemporaryFolder(), GoldenData.Committed("qwen2"), token: 37);
        using var reward = RewardSpec.Parse($"model:{folder.Path}");
        var tokenizer = DeRa.Text.Loading.TokenizerLoader.Load(folder.Path);
        using var classifier = SequenceClassifier.Load(folder.Path, DeviceOption.Cpu, new NumberOptions());

        var scores = await reward.ScoreAsync(
            [new("ab", "cd e", 2, true), new("", "", 0, true), new("x", new string('x', 1000), 2, true), new("abc", "d", 1, true)],
            Cancellation);

        Assert.Equal(classifier.Score([[.. tokenizer.Encode("abcd e")]], Cancellation)[0], scores[0].Required(), 1e-5);
        Assert.Equal(classifier.Score([[.. tokenizer.Encode("abcd")]], Cancellation)[0], scores[3].Required(), 1e-5);
        Assert.Contains("context allows 1 to 256", scores[2].Error, StringComparison.Ordinal);
    }
}
