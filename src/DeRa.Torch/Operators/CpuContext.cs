namespace DeRa.Torch.Operators;

/// <summary>What the tokens of one row may see, for <see cref="Operators.CpuAttention"/>.</summary>
/// <param name="firstToken">Index of the row's first token in the step.</param>
/// <param name="tokens">How many tokens it has.</param>
/// <param name="slots">Where the positions that any of its tokens sees lie, ascending; the last one is its last token's.</param>
/// <param name="window">How many tokens each may see, itself and those before it.</param>
internal sealed class CpuContext(int firstToken, int tokens, int[] slots, int window)
{
    /// <summary>Index of the row's first token in the step.</summary>
    public int FirstToken => firstToken;

    /// <summary>How many tokens it has.</summary>
    public int Tokens => tokens;

    /// <summary>Where the positions that any of its tokens sees lie, ascending.</summary>
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
