using DeRa.Torch.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace DeRa.Lab.Objectives;

/// <summary>
/// Direct preference optimisation (arXiv 2305.18290, eq. 7): −log σ(β·(log-ratio of the chosen − log-ratio of the rejected)),
/// mean over pairs. Completions may come from any distribution with full support. The optimum is the preference's:
/// π* ∝ π_ref·exp(r/β) with <see cref="BradleyTerryPreference"/>, none with <see cref="HardPreference"/>.
/// </summary>
/// <exception cref="ArgumentOutOfRangeException">β is not a finite number above 0.</exception>
internal sealed class DpoObjective(double beta, IPreference preference) : IObjective
{
    public string Name => "dpo";

    public double Beta { get; } = ObjectiveRange.Beta(beta);

    /// <inheritdoc/>
    /// <remarks>0 where no two neighbouring completions of a prompt differ in reward.</remarks>
    public Tensor Loss(SampleBatch batch) => Loss(batch, PreferencePair.Neighbours(batch, preference));

    /// <summary>The loss on given pairs, such as those of a stored preference dataset; 0 where there are none.</summary>
    /// <exception cref="ArgumentException">A pair has a row that the batch lacks, or rows of two prompts.</exception>
    public Tensor Loss(SampleBatch batch, IReadOnlyList<PreferencePair> pairs)
    {
        CheckPairs(batch, pairs);
        using var scope = NewDisposeScope();
        var logRatios = batch.PolicyTokens().sum(1) - batch.ReferenceTokens().sum(1);
        var margins = Rows(logRatios, pairs, pair => pair.Chosen) - Rows(logRatios, pairs, pair => pair.Rejected);
        // The sum over the count, not the mean: without pairs the loss is 0 with a gradient of 0.
        return logsigmoid(margins.Times(Beta)).sum().Times(-1.0 / Math.Max(1, pairs.Count)).MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor values, IReadOnlyList<PreferencePair> pairs, Func<PreferencePair, long> row) =>
        values.index_select(0, tensor(pairs.Select(row).ToArray(), device: values.device));

    private static void CheckPairs(SampleBatch batch, IReadOnlyList<PreferencePair> pairs)
    {
        foreach (var (chosen, rejected) in pairs)
            if (chosen == rejected || PromptOf(batch, chosen) != PromptOf(batch, rejected))
                throw new ArgumentException($"'pairs' has rows {chosen} and {rejected}; they must be two completions of one "
                    + $"prompt, each between 0 and {batch.Completions - 1}.", nameof(pairs));
    }

    // Rows that the batch lacks belong to no prompt: NaN equals nothing.
    private static double PromptOf(SampleBatch batch, int row) =>
        row >= 0 && row < batch.Completions ? row / batch.CompletionsPerPrompt : double.NaN;
}
