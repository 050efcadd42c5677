using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// From the models' logits to tokens: mix → log-probabilities, where requested → penalties and bias → masks → temperature → top-k →
/// top-p → min-p → typical → sample. Computed on the device; results come to the host in one copy, before which filters of a large
/// vocabulary bring one flag a row.
/// </summary>
internal static class MixFilterSample
{
    /// <summary>
    /// Samples and scores. Rows do not influence each other. The logits are not changed; nothing stays on the device.
    /// </summary>
    /// <param name="members">
    /// The reference model's logits, then each aligned model's: at least the rows in which it is active. They may be on different
    /// devices.
    /// </param>
    /// <param name="rows">What is wanted of each output row.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding and are dropped.</param>
    /// <returns>One a row; a row whose logits are not finite or whose tokens are outside the vocabulary has an error.</returns>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static LogitRowResult[] Run(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize)
    {
        if (rows.Count == 0) return [];
        using var scope = NewDisposeScope();
        var faults = rows.Select(row => RowFaults.Tokens(row, vocabularySize)).ToArray();
        var failed = Array.ConvertAll(faults, fault => fault is not null);
        var mixed = LogitMixer.Mix(members, rows, vocabularySize);
        var adjusted = TokenAdjustments.Apply(mixed, rows, failed);
        var masked = TokenMasks.Apply(adjusted, rows, failed);
        var best = adjusted.amax([1]);
        var allowedBest = ReferenceEquals(masked, adjusted) ? best : masked.amax([1]);
        // A logit that is not finite is a fault in any column; so are masks that leave only −∞.
        if (!ReferenceEquals(masked, adjusted)) best = where(best.isfinite(), allowedBest, best);
        var tokens = rows.Any(row => row.Sampling is not null) ? TokenSampler.Sample(masked, allowedBest, rows) : null;
        var logProbs = new RowLogProbs(rows, failed, vocabularySize);
        var divergence = new ReferenceDivergence(rows, failed);
        var host = ToHost([best, tokens ?? zeros_like(best),
            .. divergence.Compute(mixed, members[0], vocabularySize), .. logProbs.Compute(mixed, tokens)]);
        return Results(host, faults, divergence, logProbs);
    }

    /// <summary>Reads all in one copy; float64 holds every token id and every float32.</summary>
    private static double[] ToHost(Tensor[] parts) =>
        cat(Array.ConvertAll(parts, part => part.to(ScalarType.Float64)), 0).cpu().data<double>().ToArray();

    private static LogitRowResult[] Results(double[] host, string?[] faults, ReferenceDivergence divergence, RowLogProbs logProbs)
    {
        var count = faults.Length;
        var results = new LogitRowResult[count];
        for (var row = 0; row < count; row++) results[row] = new LogitRowResult { Token = (int)host[count + row] };
        divergence.AddTo(results, host.AsSpan(2 * count, divergence.Count));
        logProbs.AddTo(results, host.AsSpan(count, count), host.AsSpan(2 * count + divergence.Count));
        for (var row = 0; row < count; row++)
            if ((faults[row] ?? RowFaults.Logits(host[row])) is { } fault) results[row] = new LogitRowResult { Error = fault };
        return results;
    }
}
