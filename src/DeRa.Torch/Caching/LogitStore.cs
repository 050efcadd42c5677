using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>
/// Logits that are kept on a device between steps, a row a slot. The scheduler decides what lies in which slot; a slot that was never
/// written holds zeros.
/// </summary>
internal sealed class LogitStore : IDisposable
{
    private readonly Tensor _logits; // float32 [slots, vocabulary]

    /// <summary>Allocates the slots.</summary>
    /// <param name="slots">How many; may be 0.</param>
    /// <param name="vocabularySize">Logits of a slot.</param>
    /// <param name="device">Where they lie.</param>
    public LogitStore(int slots, int vocabularySize, Device device)
    {
        Slots = slots;
        using var scope = NewDisposeScope();
        _logits = zeros([slots, vocabularySize], ScalarType.Float32, device);
        scope.Detach(_logits);
    }

    /// <summary>How many rows can be kept.</summary>
    public int Slots { get; }

    /// <summary>Memory that a store takes.</summary>
    public static long BytesOf(int slots, int vocabularySize) => (long)slots * vocabularySize * sizeof(float);

    /// <summary>Overwrites slots.</summary>
    /// <param name="slots">int64 [rows], distinct, on the store's device.</param>
    /// <param name="logits">[rows, width ≥ vocabulary] on the store's device; further columns are padding and are dropped.</param>
    public void Write(Tensor slots, Tensor logits) =>
        _logits.index_copy_(0, slots, logits.narrow(1, 0, _logits.size(1)).to(ScalarType.Float32));

    /// <summary>What was kept.</summary>
    /// <param name="slots">int64 [rows], on the store's device.</param>
    /// <returns>float32 [rows, vocabulary], a copy, owned by the caller's scope.</returns>
    public Tensor Read(Tensor slots) => _logits.index_select(0, slots);

    /// <summary>Frees the slots.</summary>
    public void Dispose() => _logits.Dispose();
}
