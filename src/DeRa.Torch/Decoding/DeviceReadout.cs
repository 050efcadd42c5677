using DeRa.Engine.Scheduling;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The sampler by libtorch's operators, on any device: the vocabulary is not sorted, and nothing waits for the device before the
/// results, which come to the host in one copy.
/// </summary>
internal static class DeviceReadout
{
    /// <summary>As <see cref="MixFilterSample.Run"/>, inside the caller's scope.</summary>
    /// <param name="members">On any devices.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding.</param>
    /// <param name="means">For guesses: the models' mean differences, to which rows are added that say so; null = 0.</param>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static ReadoutResult[] Run(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize,
        MeanDifferences? means = null)
    {
        var faults = new string?[rows.Count];
        for (var row = 0; row < faults.Length; row++) faults[row] = RowFaults.Tokens(rows[row], vocabularySize);
        var failed = Array.ConvertAll(faults, fault => fault is not null);
        var mixed = LogitMixer.Mix(members, rows, vocabularySize, means);
        var adjusted = TokenAdjustments.Apply(mixed, rows, failed);
        var masked = TokenMasks.Apply(adjusted, rows, failed);
        var best = adjusted.amax([1]);
        var allowedBest = ReferenceEquals(masked, adjusted) ? best : masked.amax([1]);
        // A logit that is not finite is a fault in any column; so are masks that leave only −∞.
        if (!ReferenceEquals(masked, adjusted)) best = where(best.isfinite(), allowedBest, best);
        var tokens = rows.Any(row => row.Sampling is not null) ? TokenSampler.Sample(masked, allowedBest, rows) : null;
        var logProbs = new RowLogProbs(rows, failed, vocabularySize);
        var divergence = new ReferenceDivergence(rows, failed);
        var sweeps = new RowStrengthScores(rows, failed);
        var measures = new RowMeasures(rows, failed, vocabularySize);
        var host = ToHost([best, tokens ?? zeros_like(best), .. divergence.Compute(mixed, members[0], vocabularySize),
            .. sweeps.Compute(members, vocabularySize, mixed.device), .. measures.Compute(members, mixed, tokens),
            .. logProbs.Compute(mixed, tokens)]);
        for (var row = 0; row < faults.Length; row++)
            if (rows[row].UpdatesMeans) means?.Add(rows[row], members, row);
        return Results(host, faults, divergence, sweeps, measures, logProbs);
    }

    /// <summary>Reads all in one copy; float64 holds every token id and every float32.</summary>
    private static double[] ToHost(Tensor[] parts) =>
        cat(Array.ConvertAll(parts, part => part.to(ScalarType.Float64)), 0).cpu().data<double>().ToArray();

    private static ReadoutResult[] Results(double[] host, string?[] faults, ReferenceDivergence divergence, RowStrengthScores sweeps,
        RowMeasures measures, RowLogProbs logProbs)
    {
        var count = faults.Length;
        var results = new ReadoutResult[count];
        var values = host.AsSpan(2 * count);
        for (var row = 0; row < count; row++) results[row] = new ReadoutResult { Token = (int)host[count + row] };
        divergence.AddTo(results, Next(ref values, divergence.Count));
        sweeps.AddTo(results, Next(ref values, sweeps.Count));
        measures.AddTo(results, Next(ref values, measures.Count));
        logProbs.AddTo(results, host.AsSpan(count, count), values);
        for (var row = 0; row < count; row++)
            if ((faults[row] ?? RowFaults.Logits(host[row])) is { } fault) results[row] = new ReadoutResult { Error = fault };
        return results;
    }

    private static Span<double> Next(ref Span<double> values, int count)
    {
        var next = values[..count];
        values = values[count..];
        return next;
    }
}
