using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Lab.Tests.Commands;
using DeRa.Lab.Tests.Training;
using DeRa.Lab.Training;
using DeRa.Serving.Rewards;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Lab.Tests.Alignment;

public sealed class AlignmentTaskTests(TinyPair pair)
{
    private static readonly TrainingSettings s_settings = new() { Steps = 7, LearningRate = 1e-3, CheckpointSteps = 2 };

    [Theory]
    [InlineData("policy-gradient")] // the model in training draws
    [InlineData("dpo")] // the reference draws, and preferences are drawn too
    public void A_run_that_failed_goes_on_as_if_nothing_had_been(string method)
    {
        using var reference = pair.Load();
        using var whole = new TrainingRun();
        whole.Run(s_settings, Task(reference, method), reference.Clone()).Dispose();
        using var cut = new TrainingRun();
        var failing = new InterruptedTask(Task(reference, method), 5, () => throw new IOException("the machine went down"));
        Assert.Throws<IOException>(() => cut.Run(s_settings, failing, reference.Clone()).Dispose());
        cut.Run(s_settings, Task(reference, method), reference.Clone()).Dispose();
        Assert.Equal(whole.Curve, cut.Curve);
        Assert.Equal(whole.Weights, cut.Weights);
    }

    private AlignmentTask Task(TrainableDecoder reference, string method)
    {
        var (objective, fromReference) = AlignmentMethod.Create(method, beta: 0.1, seed: 1);
        var settings = new AlignmentSettings { Prompts = 3, Completions = 4, MaxTokens = 16, FromReference = fromReference, Seed = 2 };
        var tokenizer = TokenizerLoader.Load(pair.Model);
        EncodedPrompt[] prompts = [.. ((string[])["Tom", "The cat", "Lily sat."])
            .Select(text => new EncodedPrompt(text, [.. tokenizer.Encode(text)]))];
        return new AlignmentTask(reference, prompts, new CompletionScorer(tokenizer, new LengthReward(6, 16)), objective, settings,
            ModelFolder.EndToken(pair.Model), "test", TestContext.Current.CancellationToken);
    }
}
