using DeRa.Engine.Scheduling;
using DeRa.Torch.Kernels;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The sampler on the CPU: each row is mixed, adjusted, filtered and drawn straight over memory, without an operator of libtorch and
/// without sorting the vocabulary. A row's result is the same to the last bit beside any other rows.
/// </summary>
internal static class CpuReadout
{
    /// <summary>Logits of a batch below which one thread finishes before others have started.</summary>
    private const long MinParallelLogits = 1 << 17;

    /// <summary>As <see cref="MixFilterSample.Run"/>.</summary>
    /// <param name="members">All on the CPU, in any floating type.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding.</param>
    /// <param name="means">For guesses: the models' mean differences, to which rows are added that say so; null = 0.</param>
    /// <param name="results">One a row, written.</param>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static void Run(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize,
        MeanDifferences? means, Memory<ReadoutResult> results)
    {
        using var logits = new CpuLogits(members, rows, vocabularySize);
        var reading = new Reading(logits, rows, vocabularySize, means, results);
        if ((long)rows.Count * vocabularySize >= MinParallelLogits) CpuPool.Shared.Run(reading, rows.Count);
        else for (var row = 0; row < rows.Count; row++) reading.Run(row);
        for (var row = 0; row < rows.Count; row++)
            if (rows[row].UpdatesMeans) means?.Add(rows[row], logits, row);
    }

    private sealed class Reading(
        CpuLogits logits, IReadOnlyList<LogitRow> rows, int vocabularySize, MeanDifferences? means, Memory<ReadoutResult> results)
        : IParallelWork
    {
        public void Run(int row) => results.Span[row] = CpuRowReader.Own(vocabularySize).Read(rows[row], logits, row, means);
    }
}
