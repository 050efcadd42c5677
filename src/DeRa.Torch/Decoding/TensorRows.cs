using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Selects rows of a tensor and overwrites rows of one.</summary>
internal static class TensorRows
{
    /// <summary>The named rows of [rows, …] in that order; the tensor itself where they are all its rows in order.</summary>
    public static Tensor Take(Tensor source, IReadOnlyList<int> rows) =>
        AreAll(rows, source.shape[0]) ? source : source.index_select(0, Index(rows, source.device));

    /// <summary>Overwrites the named rows of <paramref name="target"/> [rows, …] by those of <paramref name="source"/>.</summary>
    public static void Put(Tensor target, IReadOnlyList<int> rows, Tensor source) =>
        target.index_copy_(0, Index(rows, target.device), source);

    /// <summary>True where <paramref name="rows"/> is 0, 1, …, <paramref name="count"/> − 1.</summary>
    public static bool AreAll(IReadOnlyList<int> rows, long count)
    {
        if (rows.Count != count) return false;
        for (var i = 0; i < rows.Count; i++)
            if (rows[i] != i) return false;
        return true;
    }

    /// <summary>int64 [count].</summary>
    public static Tensor Index(IReadOnlyList<int> rows, Device device) =>
        DeviceTensor.Of(rows as int[] ?? [.. rows], device);

    /// <summary>The indices below <paramref name="count"/> that match.</summary>
    public static int[] Where(int count, Predicate<int> matches)
    {
        var rows = new List<int>(count);
        for (var row = 0; row < count; row++)
            if (matches(row)) rows.Add(row);
        return [.. rows];
    }

    /// <summary>One value a row as a column: [count, 1].</summary>
    public static Tensor Column(float[] values, Device device) => DeviceTensor.Upload(tensor(values, [values.Length, 1]), device);

    /// <inheritdoc cref="Column(float[], Device)"/>
    public static Tensor Column(double[] values, Device device) => DeviceTensor.Upload(tensor(values, [values.Length, 1]), device);

    /// <inheritdoc cref="Column(float[], Device)"/>
    public static Tensor Column(long[] values, Device device) => DeviceTensor.Upload(tensor(values, [values.Length, 1]), device);
}
