using DeRa.Torch.Caching;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>What each token of a step may attend to, for the layers of one window. Its tensors live as long as the step.</summary>
/// <param name="Decode">The rows of few tokens, as decoding ones are, or null where there are none.</param>
/// <param name="Chunks">The rows of more.</param>
internal sealed record AttentionPlan(DecodeContext? Decode, IReadOnlyList<ChunkContext> Chunks)
{
    /// <summary>
    /// With <see cref="CpuKernels"/>, every row's context, instead of <see cref="Decode"/> and <see cref="Chunks"/>; else null.
    /// </summary>
    public CpuPlan? Cpu { get; init; }
}

/// <summary>The contexts of all rows of few tokens, padded to the longest, for one call.</summary>
/// <param name="Rows">How many rows; their tokens come first in the step.</param>
/// <param name="Tokens">How many tokens they have together.</param>
/// <param name="Slots">[rows · context], int64. Padding repeats the row's own last slot: a neighbour's NaN cannot enter.</param>
/// <param name="Mask">
/// [rows, 1, queries, context]: 0, or −∞ at padding and where a token may not attend. Null where every row is one token and all
/// contexts are equally long. Queries are the longest row's tokens.
/// </param>
/// <param name="Padding">How the rows are padded to as many queries; null where they have as many tokens.</param>
internal sealed record DecodeContext(int Rows, int Tokens, Tensor Slots, Tensor? Mask, QueryPadding? Padding);

/// <summary>How rows are padded to equally many queries.</summary>
/// <param name="Queries">[rows · queries], int64: the token of each. Padding repeats the row's last token, and is dropped.</param>
/// <param name="Places">[tokens], int64: where each token is among the queries.</param>
internal sealed record QueryPadding(Tensor Queries, Tensor Places);

/// <summary>The context of one row of many tokens.</summary>
/// <param name="FirstToken">Index of its first token in the step.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="Slots">[context], int64.</param>
/// <param name="Mask">[1, 1, tokens, context]: 0, or −∞ where a token may not attend (later tokens, and those before its window).</param>
internal sealed record ChunkContext(int FirstToken, int Tokens, Tensor Slots, Tensor Mask);

/// <summary>What the rows of a step may attend to, for <see cref="CpuAttention"/>.</summary>
/// <param name="Contexts">Every row's, in the order of their tokens.</param>
/// <param name="Window">How many tokens each token may see, itself and those before it.</param>
internal sealed record CpuPlan(IReadOnlyList<CpuContext> Contexts, int Window);

/// <summary>One row, for <see cref="CpuAttention"/>.</summary>
/// <param name="FirstToken">Index of its first token in the step.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="Position">The position of the first.</param>
/// <param name="Slots">Where the row's positions lie in the pool.</param>
internal readonly record struct CpuContext(int FirstToken, int Tokens, int Position, CacheSlots Slots)
{
    /// <summary>The first position that one of its tokens sees.</summary>
    /// <param name="token">From 0.</param>
    /// <param name="window">How many tokens it sees at most, itself and those before it.</param>
    public int FirstSeen(int token, int window) => Math.Max(0, Position + token + 1 - window);
}
