using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using DeRa.Lab.Training;
using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Lab.Unlikelihood;

/// <summary>
/// Language modelling that also unlearns the model's own faults: sequence-level unlikelihood (Welleck et al., ICLR 2020, arXiv
/// 1908.04319). Completions are drawn from the model, and −log(1 − p) of each faulty token is added to the loss, as a mean over
/// all tokens drawn.
/// </summary>
/// <param name="modelling">Language modelling, which holds the model where it was.</param>
/// <param name="prompts">What the completions go on with.</param>
/// <param name="faults">Finds the faulty tokens.</param>
/// <param name="settings">How much of it.</param>
/// <param name="endToken">Ends a completion.</param>
/// <param name="cancellation">Stops between two tokens.</param>
internal sealed class UnlikelihoodTask(
    LanguageModelling modelling, IReadOnlyList<EncodedPrompt> prompts, CompletionFaults faults, UnlikelihoodSettings settings, int endToken,
    CancellationToken cancellation) : ITrainingTask
{
    /// <summary>What the logits are divided by: faults are looked for where models are served.</summary>
    private const double Temperature = 0.7;

    /// <summary>Longest completion in tokens, its end token included.</summary>
    private const int MaxTokens = 200;

    /// <summary>A token that is certain would have an infinite loss.</summary>
    private static readonly Scalar s_mostProbable = (1 - 1e-4).ToScalar();

    /// <inheritdoc/>
    public string Description => $"{modelling.Description}, known words {faults.KnownWords}, {settings}";

    /// <inheritdoc/>
    public TaskStep Step(TrainableDecoder model, int step)
    {
        var likelihood = modelling.Step(model, step);
        var random = StepRandom.At(~settings.Seed, step);
        var chosen = Enumerable.Range(0, settings.Completions).Select(_ => prompts[random.Next(prompts.Count)]).ToArray();
        var drawn = Sampler.Sample(
            Mixture.Of(model, Temperature), [.. chosen.Select(prompt => prompt.Tokens)], endToken, MaxTokens,
            StepRandom.Seed(settings.Seed, step), cancellation: cancellation);
        var layout = SampledBatch.Of(drawn, endToken, model.Device);
        var faulty = Faulty(chosen, drawn, layout.Mask.size(1));
        var count = drawn.Sum(text => text.Tokens.Length);
        var avoided = model.LogProbs(layout.Tokens).exp().clamp_max(s_mostProbable).neg().log1p(); // log(1 − p)
        var unlikelihood = (avoided * faulty.to(model.Device)).sum().Times(-settings.Weight / count);
        return new TaskStep(
            likelihood.Loss.Plus(unlikelihood), likelihood.Tokens + layout.Tokens.numel(),
            [("faulty", faulty.sum().to(ScalarType.Float64).item<double>() / count), ("tokens", (double)count / drawn.Count)]);
    }

    /// <returns>[completions, longest], float32: 1 where column t's next token is faulty.</returns>
    private Tensor Faulty(EncodedPrompt[] chosen, IReadOnlyList<SampledText> drawn, long columns)
    {
        var mask = new float[drawn.Count, columns];
        for (var row = 0; row < drawn.Count; row++)
            foreach (var token in faults.Of(chosen[row].Text, drawn[row])) mask[row, drawn[row].Prompt.Length + token - 1] = 1;
        return from_array(mask);
    }
}

/// <summary>How much of its own faults a model unlearns.</summary>
internal sealed record UnlikelihoodSettings
{
    /// <summary>What the unlikelihood is multiplied by; above 0.</summary>
    public required double Weight { get; init; }

    /// <summary>Completions of a step; at least 1.</summary>
    public required int Completions { get; init; }

    /// <summary>Determines prompts and samples.</summary>
    public required long Seed { get; init; }
}
