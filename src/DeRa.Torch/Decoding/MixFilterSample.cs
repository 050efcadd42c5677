using DeRa.Engine.Scheduling;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// From the models' logits to tokens: mix → log-probabilities, where requested → penalties and bias → masks → temperature → top-k →
/// top-p → min-p → typical → Gumbel maximum. On the CPU by a kernel of ours, else by libtorch's operators.
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
    /// <param name="means">
    /// For guesses: the models' mean differences, to which rows are added that say so, on the device of all models; null = 0.
    /// </param>
    /// <param name="results">
    /// One a row, written; a row whose logits are not finite or whose tokens are outside the vocabulary has an error.
    /// </param>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static void Run(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize,
        MeanDifferences? means, Memory<ReadoutResult> results)
    {
        if (rows.Count == 0) return;
        using var scope = NewDisposeScope();
        if (AreOnCpu(members)) CpuReadout.Run(members, rows, vocabularySize, means, results);
        else DeviceReadout.Run(members, rows, vocabularySize, means).CopyTo(results);
    }

    private static bool AreOnCpu(IReadOnlyList<ModelLogits> members)
    {
        for (var member = 0; member < members.Count; member++)
            if (members[member].Device is { } device && device.type != DeviceType.CPU) return false;
        return true;
    }
}
