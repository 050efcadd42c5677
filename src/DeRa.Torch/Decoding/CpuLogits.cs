using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>The members' rows of logits in the host's memory. Valid as long as the members' tensors are, until it is disposed.</summary>
internal sealed unsafe class CpuLogits : IDisposable
{
    private readonly List<Tensor> _tensors = []; // keeps converted ones until this object is collected
    private readonly nint[] _rows; // [members, rows]: where each row begins; 0 = the member did not run it
    private readonly int _rowCount;
    private readonly int _vocabularySize;

    /// <summary>Finds each row; other types than float32 are converted.</summary>
    /// <param name="members">All on the CPU.</param>
    /// <param name="rows">What is wanted of each output row.</param>
    /// <param name="vocabularySize">Size of the vocabulary, at most a row's width.</param>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public CpuLogits(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize)
    {
        (_rowCount, _vocabularySize) = (rows.Count, vocabularySize);
        _rows = ArrayPool<nint>.Shared.Rent(members.Count * rows.Count);
        Array.Clear(_rows, 0, members.Count * rows.Count);
        for (var member = 0; member < members.Count; member++) Find(member, members[member]);
        for (var row = 0; row < rows.Count; row++) Check(rows[row], row);
    }

    /// <summary>The logits of a model that ran a row: float32 [vocabulary].</summary>
    public ReadOnlySpan<float> Row(int member, int row) => new((void*)_rows[member * _rowCount + row], _vocabularySize);

    /// <summary>Gives its memory back.</summary>
    public void Dispose() => ArrayPool<nint>.Shared.Return(_rows);

    private void Find(int member, ModelLogits logits)
    {
        if (logits.Logits is { } computed)
        {
            var own = computed.to(ScalarType.Float32).contiguous();
            _tensors.Add(own);
            var first = Start(own);
            var width = own.size(1);
            for (var i = 0; i < logits.Rows.Count; i++) _rows[member * _rowCount + logits.Rows[i]] = (nint)(first + i * width);
        }
        if (logits.Kept is not { } kept) return;
        var start = Start(kept.Store.Logits);
        var size = kept.Store.Logits.size(1);
        for (var i = 0; i < kept.Rows.Count; i++) _rows[member * _rowCount + kept.Rows[i]] = (nint)(start + kept.Slots[i] * size);
    }

    private static float* Start(Tensor logits) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(CpuKernels.Elements(logits)));

    private void Check(LogitRow wanted, int row)
    {
        foreach (var member in wanted.Strengths.ActiveModels)
            if (wanted.IsKnown(member) && _rows[member * _rowCount + row] == 0)
                throw new InvalidOperationException($"row {row} needs the logits of model {member}, which did not run it");
    }
}
