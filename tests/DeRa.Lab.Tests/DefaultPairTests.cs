using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests;

/// <summary>The pair that comes with the server is what its card says.</summary>
public sealed class DefaultPairTests
{
    private static readonly string[] s_prompts =
        ["One day, a dog", "Lily lost her toy", "Tom and his mom", "The old tree", "A bird fell", "Once upon a time", "Sam was",
            "The cat saw"];

    private static string Folder(string model) => Path.Combine(SharedData.ProjectRoot, "src", "DeRa.Serving", "DefaultPair", model);

    [Fact]
    public void The_reward_rises_with_the_strength()
    {
        var tokenizer = TokenizerLoader.Load(Folder("reference"));
        using var reference = TrainableDecoder.Load(Folder("reference"), CPU);
        using var aligned = TrainableDecoder.Load(Folder("aligned"), CPU);
        using var reward = new SentimentReward();
        var prompts = s_prompts.Select(prompt => new EncodedPrompt(prompt, [.. tokenizer.Encode(prompt)])).ToArray();
        double Mean(double strength) => StrengthEvaluation.Run(new Mixture(reference, aligned, strength), prompts, completions: 6,
            new CompletionScorer(tokenizer, reward), ModelFolder.EndToken(Folder("reference")), maxTokens: 60, seed: 5,
            cancellation: TestContext.Current.CancellationToken).Reward.Estimate;
        var (none, full, more) = (Mean(0), Mean(1), Mean(2));
        Assert.True(full > none + 0.1 && more > full, $"{none}, {full}, {more}");
    }
}
