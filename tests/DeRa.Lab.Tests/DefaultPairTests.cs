using System.Text.Json;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Rewards;
using DeRa.Lab.Sampling;
using DeRa.Lab.Tokenizers;
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

    [Fact]
    public void It_predicts_stories_that_it_has_not_seen_better_than_stories260k_does()
    {
        if (SharedData.Find("models/stories260k") is not { } other || SharedData.Find("text") is not { } texts)
        {
            Assert.Skip(SharedData.Missing);
            return;
        }
        string[] stories = [.. StoryFile.Read(Path.Combine(texts, "tinystories-v1-valid-first-0.8mb.txt")).Stories.Take(100)
            .Select(StoryCleaning.Clean)];
        Assert.InRange(NatsPerCharacter(Folder("reference"), stories) / NatsPerCharacter(other, stories), 0.5, 1);
    }

    [Fact]
    public void Its_chat_template_is_the_one_it_was_trained_on()
    {
        foreach (var model in new[] { "reference", "aligned" })
        {
            using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(model), "tokenizer_config.json")));
            Assert.Equal(ZephyrTemplate.Jinja, config.RootElement.GetProperty("chat_template").GetString());
        }
    }

    private static double NatsPerCharacter(string folder, IEnumerable<string> stories)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        using var model = TrainableDecoder.Load(folder, CPU);
        var losses = stories.Select(story => TextLoss.Of(model, tokenizer, new Document("", story))).ToArray();
        return losses.Sum(loss => loss.Nats) / losses.Sum(loss => loss.Characters);
    }
}
