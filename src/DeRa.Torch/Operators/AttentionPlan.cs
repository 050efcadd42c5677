using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>What each token of a step may attend to, for the layers of one window. Its tensors live as long as the step.</summary>
/// <param name="Decode">The rows of a single token, or null where there are none.</param>
/// <param name="Chunks">The rows of several tokens.</param>
internal sealed record AttentionPlan(DecodeContext? Decode, IReadOnlyList<ChunkContext> Chunks)
{
    /// <summary>
    /// With <see cref="CpuKernels"/>, every row's context, in the order of their tokens, instead of <see cref="Decode"/> and
    /// <see cref="Chunks"/>; else null.
    /// </summary>
    public IReadOnlyList<CpuContext>? Cpu { get; init; }
}

/// <summary>The contexts of all rows of a single token, padded to the longest.</summary>
/// <param name="Rows">How many rows; their tokens come first in the step.</param>
/// <param name="Slots">[rows · context], int64. Padding repeats the row's own last slot: a neighbour's NaN cannot enter.</param>
/// <param name="Mask">[rows, 1, 1, context]: 0, or −∞ at padding. Null where all rows are equally long.</param>
internal sealed record DecodeContext(int Rows, Tensor Slots, Tensor? Mask);

/// <summary>The context of one row of several tokens.</summary>
/// <param name="FirstToken">Index of its first token in the step.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="Slots">[context], int64.</param>
/// <param name="Mask">[1, 1, tokens, context]: 0, or −∞ where a token may not attend (later tokens, and those before its window).</param>
internal sealed record ChunkContext(int FirstToken, int Tokens, Tensor Slots, Tensor Mask);

/// <summary>What the tokens of one row may attend to, for <see cref="CpuAttention"/>.</summary>
/// <param name="firstToken">Index of the row's first token in the step.</param>
/// <param name="tokens">How many tokens it has.</param>
/// <param name="slots">Slots of the positions that any of its tokens attends to, ascending; the last is its last token's.</param>
/// <param name="window">How many tokens each may see, itself and those before it.</param>
internal sealed class CpuContext(int firstToken, int tokens, int[] slots, int window)
{
    /// <summary>Index of the row's first token in the step.</summary>
    public int FirstToken => firstToken;

    /// <summary>How many tokens it has.</summary>
    public int Tokens => tokens;

    /// <summary>Slots of the positions that any of its tokens attends to, ascending.</summary>
    public int[] Slots => slots;

    /// <summary>Which of <see cref="Slots"/> one of the row's tokens sees.</summary>
    /// <param name="token">From 0.</param>
    public (int First, int Count) Seen(int token)
    {
        var end = slots.Length - tokens + token + 1;
        var first = Math.Max(0, end - window);
        return (first, end - first);
    }
}
