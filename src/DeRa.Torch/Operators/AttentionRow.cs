using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Torch.Operators;

/// <summary>
/// What one query got from a part of its context: the largest score, the sum of e^(score − largest), and the values weighted by these,
/// summed. Empty at first, which a total of 0 says: otherwise it is at least 1, or NaN.
/// </summary>
/// <param name="memory">[<see cref="Size"/>].</param>
/// <param name="padded">Elements of the sum, a multiple of the longest vector.</param>
internal readonly unsafe struct AttentionRow(float* memory, int padded)
{
    private const int Numbers = 2;

    /// <summary>The weighted values.</summary>
    public float* Sums => memory;

    /// <summary>The largest score.</summary>
    public ref float Largest => ref memory[padded];

    /// <summary>The sum of weights.</summary>
    public ref float Total => ref memory[padded + 1];

    /// <summary>Elements that a row takes.</summary>
    public static int Size(int padded) => padded + Numbers;

    /// <summary>Adds a later part of the context. Parts are always the same ones, added in order, so the bits are too.</summary>
    public void Add(AttentionRow later)
    {
        if (later.Total == 0) return;
        if (Total == 0)
        {
            Unsafe.CopyBlock(memory, later.Sums, (uint)Size(padded) * sizeof(float));
            return;
        }
        var largest = MathF.Max(Largest, later.Largest);
        var own = CpuActivation.Exp(Vector256.Create(Largest - largest));
        var other = CpuActivation.Exp(Vector256.Create(later.Largest - largest));
        for (var d = 0; d < padded; d += Vector256<float>.Count)
            Vector256.FusedMultiplyAdd(Vector256.Load(later.Sums + d), other, Vector256.Load(Sums + d) * own).Store(Sums + d);
        Total = MathF.FusedMultiplyAdd(later.Total, other[0], Total * own[0]);
        Largest = largest;
    }
}
