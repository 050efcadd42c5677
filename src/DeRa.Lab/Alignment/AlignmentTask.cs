using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Lab.Objectives;
using DeRa.Lab.Sampling;
using DeRa.Lab.Training;
using static TorchSharp.torch;

namespace DeRa.Lab.Alignment;

/// <summary>
/// One step of an alignment method: samples completions of random prompts, scores them, and computes the objective's loss on them.
/// Each batch is used for one update, so the sampling model is the one in training (or the reference, if the method needs that).
/// </summary>
internal sealed class AlignmentTask(
    TrainableDecoder reference, IReadOnlyList<EncodedPrompt> prompts, CompletionScorer scorer, IObjective objective,
    AlignmentSettings settings, int endToken, string description, CancellationToken cancellation) : ITrainingTask
{
    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public TaskStep Step(TrainableDecoder model, int step)
    {
        var chosen = Choose(StepRandom.At(settings.Seed, step));
        var proposal = settings.FromReference ? reference : model;
        var drawn = Sampler.Sample(
            Mixture.Of(proposal), [.. chosen.Select(prompt => prompt.Tokens)], endToken, settings.MaxTokens,
            StepRandom.Seed(settings.Seed, step), cancellation: cancellation);
        var rewards = scorer.Score(chosen, drawn, cancellation);
        var layout = SampledBatch.Of(drawn, endToken, model.Device);
        var referenceLogProbs = ReferenceLogProbs(layout.Tokens);
        var policy = model.LogProbs(layout.Tokens);
        var batch = new SampleBatch(policy, referenceLogProbs, settings.FromReference ? referenceLogProbs : policy, layout.Mask,
            tensor(rewards.ToArray(), device: model.Device), settings.Completions, step);
        var seen = BatchDiagnostics.Of(batch);
        return new TaskStep(objective.Loss(batch), layout.Tokens.numel(),
            [("reward", seen.MeanReward), ("kl", seen.KlK3), ("tokens", drawn.Average(text => text.Tokens.Length))]);
    }

    private EncodedPrompt[] Choose(Random random) =>
        [.. Enumerable.Range(0, settings.Prompts).Select(_ => prompts[random.Next(prompts.Count)])
            .SelectMany(prompt => Enumerable.Repeat(prompt, settings.Completions))];

    private Tensor ReferenceLogProbs(Tensor tokens)
    {
        using var gradientsOff = no_grad();
        return reference.LogProbs(tokens);
    }
}

/// <summary>How completions are sampled for an alignment step.</summary>
internal sealed record AlignmentSettings
{
    /// <summary>Prompts of a step; at least 1.</summary>
    public required int Prompts { get; init; }

    /// <summary>Completions of each prompt; at least 2.</summary>
    public required int Completions { get; init; }

    /// <summary>Longest completion in tokens, its end token included; at least 1.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Whether the reference samples the completions (DPO, BRAIn) rather than the model in training.</summary>
    public required bool FromReference { get; init; }

    /// <summary>Determines prompts and samples.</summary>
    public required long Seed { get; init; }
}
