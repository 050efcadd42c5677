namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Bounds what the steps of a tokenizer's file make of a text: a file from anywhere may ask for steps that double it again and
/// again. No character normalizes to more than 18.
/// </summary>
internal static class TextGrowth
{
    /// <summary>Most steps of one kind in a file, and most special tokens around a text; published ones have a few.</summary>
    public const int MostSteps = 64;

    private const int MostTimes = 32;
    private const int LargeText = 1 << 22;

    /// <summary>Characters that a text may become.</summary>
    /// <param name="length">Its own.</param>
    public static long Most(int length) => Math.Min(MostTimes * (length + 1L), Math.Max(2L * length, LargeText));

    /// <exception cref="TokenizerException">The length is beyond the bound.</exception>
    public static void Check(long length, long most)
    {
        if (length > most) throw new TokenizerException($"a step of the tokenizer makes more than {most} characters of it");
    }
}
