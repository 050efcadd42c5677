using System.Text.Json.Nodes;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Lab.Tokenizers;
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
        [.. ((string[])["a dog and a ball", "a girl named Lily", "an old tree", "a bird that fell", "Sam and his mom", "a lost toy",
            "a storm", "the sea"])
            .Select(what => $"<|user|>\nWrite a story about {what}<|endoftext|>\n<|assistant|>\n")];

    [Fact]
    public void The_reward_rises_with_the_strength()
    {
        var tokenizer = TokenizerLoader.Load(DefaultPairWeights.Folder("reference"));
        using var reference = TrainableDecoder.Load(DefaultPairWeights.Folder("reference"), CPU);
        using var aligned = TrainableDecoder.Load(DefaultPairWeights.Folder("aligned"), CPU);
        using var reward = new StoryReward();
        var prompts = s_prompts.Select(prompt => new EncodedPrompt(prompt, [.. tokenizer.Encode(prompt)])).ToArray();
        double Mean(double strength) => StrengthEvaluation.Run(new Mixture(reference, aligned, strength), prompts, completions: 6,
            new CompletionScorer(tokenizer, reward), ModelFolder.EndToken(DefaultPairWeights.Folder("reference")), maxTokens: 160, seed: 5,
            cancellation: TestContext.Current.CancellationToken).Reward.Estimate;
        var (none, half, full) = (Mean(0), Mean(0.5), Mean(1));
        Assert.True(half > none + 0.05 && full > half, $"{none}, {half}, {full}");
    }

    [Fact]
    public void Both_models_answer_by_the_template_that_they_learned() => Assert.All(
        (string[])["reference", "aligned"], model => Assert.Equal(ZephyrTemplate.Jinja, (string?)JsonNode.Parse(
            File.ReadAllText(Path.Combine(DefaultPairWeights.Folder(model), "tokenizer_config.json")))!["chat_template"]));

    /// <summary>Per character: vocabularies differ.</summary>
    [Fact]
    public void It_predicts_stories_that_it_has_not_seen_much_better_than_stories260k()
    {
        var (other, texts) = (SharedData.Find("models/stories260k"), SharedData.Find("text/tinystories-v1-valid-first-0.8mb.txt"));
        Assert.SkipWhen(other is null || texts is null, SharedData.Missing);
        var heldOut = DocumentFile.Read(texts!).Skip(1).Take(20).Select(story => story.Text).ToArray();
        var (ours, theirs) = (Loss(DefaultPairWeights.Folder("reference"), heldOut), Loss(other!, heldOut));
        Assert.True(ours < 0.6 && ours < theirs - 0.05, $"{ours}, {theirs}");
    }

    private static double Loss(string folder, IReadOnlyList<string> texts)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        using var model = TrainableDecoder.Load(folder, CPU);
        var losses = texts.Select(text => TextLoss.Of(model, tokenizer, new Document("", text))).ToArray();
        return losses.Sum(loss => loss.Nats) / losses.Sum(loss => loss.Characters);
    }
}
