using System.Runtime.InteropServices;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Logits that are kept on a device between steps, a row a slot. The scheduler decides what lies in which slot; a slot that was never
/// written holds zeros.
/// </summary>
internal sealed class LogitStore : IDisposable
{
    /// <summary>Allocates the slots.</summary>
    /// <param name="slots">How many; may be 0.</param>
    /// <param name="vocabularySize">Logits of a slot.</param>
    /// <param name="device">Where they lie.</param>
    public LogitStore(int slots, int vocabularySize, Device device)
    {
        using var scope = NewDisposeScope();
        Logits = zeros([slots, vocabularySize], ScalarType.Float32, device);
        scope.Detach(Logits);
    }

    /// <summary>float32 [slots, vocabulary]: do not write to it.</summary>
    public Tensor Logits { get; }

    /// <summary>How many rows can be kept.</summary>
    public int Slots => (int)Logits.size(0);

    /// <summary>Memory that a store takes.</summary>
    public static long BytesOf(int slots, int vocabularySize) => (long)slots * vocabularySize * sizeof(float);

    /// <summary>Overwrites slots.</summary>
    /// <param name="slots">Distinct.</param>
    /// <param name="logits">[…, width ≥ vocabulary] on the store's device; further columns are padding and are dropped.</param>
    /// <param name="rows">For each slot, its row of <paramref name="logits"/>.</param>
    public void Write(List<int> slots, Tensor logits, List<int> rows)
    {
        if (CpuKernels.Supports(logits))
        {
            CopyOnCpu(slots, logits, rows);
            return;
        }
        using var scope = NewDisposeScope();
        var chosen = logits.index_select(0, DeviceTensor.Of(CollectionsMarshal.AsSpan(rows), logits.device));
        Logits.index_copy_(0, DeviceTensor.Of(CollectionsMarshal.AsSpan(slots), logits.device),
            chosen.narrow(1, 0, Logits.size(1)).to(ScalarType.Float32));
    }

    /// <summary>Frees the slots.</summary>
    public void Dispose() => Logits.Dispose();

    private unsafe void CopyOnCpu(List<int> slots, Tensor logits, List<int> rows)
    {
        var (width, size) = (logits.size(1), (int)Logits.size(1));
        // A span may be too short for all slots.
        fixed (float* from = CpuKernels.Elements(logits.narrow(0, 0, 1)), to = CpuKernels.Elements(Logits.narrow(0, 0, 1)))
            for (var i = 0; i < slots.Count; i++)
                new ReadOnlySpan<float>(from + rows[i] * width, size).CopyTo(new Span<float>(to + (long)slots[i] * size, size));
    }
}
