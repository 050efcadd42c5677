using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>The members' rows of logits in the host's memory. Valid as long as the members' tensors are.</summary>
internal sealed unsafe class CpuLogits
{
    private readonly List<Tensor> _tensors = []; // keeps converted ones until this object is collected
    private readonly float*[][] _rows;
    private readonly int _vocabularySize;

    /// <summary>Finds each row; other types than float32 are converted.</summary>
    /// <param name="members">All on the CPU.</param>
    /// <param name="rows">What is wanted of each output row.</param>
    /// <param name="vocabularySize">Size of the vocabulary, at most a row's width.</param>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public CpuLogits(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize)
    {
        _vocabularySize = vocabularySize;
        _rows = new float*[members.Count][];
        for (var member = 0; member < members.Count; member++) _rows[member] = Rows(members[member], rows.Count);
        for (var row = 0; row < rows.Count; row++)
            foreach (var member in rows[row].KnownModels ?? rows[row].Strengths.ActiveModels)
                if (_rows[member][row] == null)
                    throw new InvalidOperationException($"row {row} needs the logits of model {member}, which did not run it");
    }

    /// <summary>The logits of a model that ran a row: float32 [vocabulary].</summary>
    public ReadOnlySpan<float> Row(int member, int row) => new(_rows[member][row], _vocabularySize);

    private float*[] Rows(ModelLogits member, int count)
    {
        var rows = new float*[count];
        if (member.Logits is null) return rows;
        var logits = member.Logits.to(ScalarType.Float32).contiguous();
        _tensors.Add(logits);
        var first = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(CpuKernels.Elements(logits)));
        var width = logits.shape[1];
        for (var i = 0; i < member.Rows.Count; i++) rows[member.Rows[i]] = first + i * width;
        return rows;
    }
}
