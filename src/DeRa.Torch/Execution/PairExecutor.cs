using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Runs steps on a pair of models: rows of strength 0 on the reference model only, rows of strength 1 on the aligned model
/// only, the others on both, each model at most once a step; then mixes, filters and samples. Engine thread only.
/// A sequence keeps its strength: a model that did not run a row has nothing of it in its cache.
/// </summary>
public sealed class PairExecutor : IStepExecutor
{
    /// <summary>Elements of logits that exist at once for each model: scored prompts are projected piece by piece.</summary>
    private const int MaxLogitElements = 1 << 24;

    private readonly ModelRunner _reference;
    private readonly ModelRunner _aligned;

    internal PairExecutor(ModelRunner reference, ModelRunner aligned, ExecutorLimits limits)
    {
        (_reference, _aligned, Limits) = (reference, aligned, limits);
    }

    /// <inheritdoc/>
    public ExecutorLimits Limits { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A row is outside the limits; nothing has run.</exception>
    public StepResult Execute(StepPlan plan)
    {
        PlanCheck.Verify(plan, Limits);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var outputs = new StepOutputs(plan.Rows);
        try
        {
            RunModels(plan.Rows, outputs);
            return outputs.ToStepResult(Decode(outputs.Rows));
        }
        finally
        {
            _reference.Clear();
            _aligned.Clear();
        }
    }

    /// <summary>Frees models and caches.</summary>
    public void Dispose()
    {
        _reference.Cache.Dispose();
        _aligned.Cache.Dispose();
        _reference.Model.Dispose();
        if (!ReferenceEquals(_reference.Model, _aligned.Model)) _aligned.Model.Dispose();
    }

    private void RunModels(IReadOnlyList<StepRow> rows, StepOutputs outputs)
    {
        var all = Enumerable.Range(0, rows.Count);
        int[] forReference = [.. all.Where(i => rows[i].Strength != 1)];
        int[] forAligned = [.. all.Where(i => rows[i].Strength != 0)];
        var areShared = forReference.Length == rows.Count && forAligned.Length == rows.Count && _reference.CanShareStep(_aligned);
        var referenceStep = Prepare(_reference, forReference, areShared ? _aligned : null);
        var alignedStep = areShared ? referenceStep : Prepare(_aligned, forAligned, null);
        _reference.Run(referenceStep, outputs.IndicesOf(forReference));
        _aligned.Run(alignedStep, outputs.IndicesOf(forAligned));

        Models.ModelStep? Prepare(ModelRunner runner, int[] indices, ModelRunner? other) =>
            indices.Length == 0 ? null : runner.Prepare(Array.ConvertAll(indices, i => rows[i]), other);
    }

    private List<LogitRowResult> Decode(List<LogitRow> rows)
    {
        var results = new List<LogitRowResult>(rows.Count);
        var rowsAtOnce = Math.Max(1, MaxLogitElements / Limits.VocabularySize);
        for (var first = 0; first < rows.Count; first += rowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var end = Math.Min(rows.Count, first + rowsAtOnce);
            results.AddRange(MixFilterSample.Run(
                _reference.Logits(first, end), _aligned.Logits(first, end), rows.GetRange(first, end - first), Limits.VocabularySize));
        }
        return results;
    }
}
