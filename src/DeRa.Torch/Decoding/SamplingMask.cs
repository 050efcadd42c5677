using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Which tokens one row may sample: those in <see cref="Allowed"/>, or, where that is null, all but <see cref="Forbidden"/>.
/// </summary>
internal sealed class SamplingMask
{
    private SamplingMask(IReadOnlyCollection<int>? allowed, IReadOnlyCollection<int> forbidden) =>
        (Allowed, Forbidden) = (allowed, forbidden);

    /// <summary>The allowed tokens, distinct, at least one; null = all but the forbidden ones.</summary>
    public IReadOnlyCollection<int>? Allowed { get; }

    /// <summary>Distinct; empty where <see cref="Allowed"/> is not null.</summary>
    public IReadOnlyCollection<int> Forbidden { get; }

    /// <summary>
    /// Computes it. A row must be able to sample something: where nothing would be left, the end tokens that min_tokens forbids are
    /// allowed again, and if that does not suffice, the last tokens of bad words.
    /// </summary>
    /// <returns>The mask; null where every token may be sampled.</returns>
    public static SamplingMask? Of(SamplingRow row, long vocabularySize)
    {
        if (!row.Parameters.HasMasks) return null;
        var words = LastTokensOfBadWords(row);
        var both = EarlyEnds(row).Concat(words).ToHashSet();
        return Without(both, row.Parameters, vocabularySize) ?? Without(words, row.Parameters, vocabularySize)
            ?? Without([], row.Parameters, vocabularySize);
    }

    /// <summary>Null where nothing would be left.</summary>
    private static SamplingMask? Without(HashSet<int> forbidden, SamplingParameters parameters, long vocabularySize)
    {
        if (parameters.AllowedTokens is not { } allowed)
            return forbidden.Count < vocabularySize ? new SamplingMask(null, forbidden) : null;
        int[] left = [.. allowed.Where(token => !forbidden.Contains(token))];
        return left.Length > 0 ? new SamplingMask(left, []) : null;
    }

    private static IReadOnlyList<int> EarlyEnds(SamplingRow row) =>
        row.History.Length - row.PromptTokens < row.Parameters.MinTokens ? row.Parameters.EndTokens : [];

    /// <summary>The last token of each bad word of which the output ends with the other tokens.</summary>
    private static HashSet<int> LastTokensOfBadWords(SamplingRow row)
    {
        var output = row.History.Span[row.PromptTokens..];
        var last = new HashSet<int>();
        foreach (var word in row.Parameters.BadWords)
            if (EndsWithBeginning(output, word)) last.Add(word[^1]);
        return last;
    }

    private static bool EndsWithBeginning(ReadOnlySpan<int> output, IReadOnlyList<int> word)
    {
        var start = output.Length - (word.Count - 1);
        if (start < 0) return false;
        for (var i = 0; i < word.Count - 1; i++)
            if (output[start + i] != word[i]) return false;
        return true;
    }
}
