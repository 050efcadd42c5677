using DeRa.Text.Tokenizers;

namespace DeRa.Text.Loading;

/// <summary>Checks that two models mean the same by every token id, without which their logits must not be mixed.</summary>
public static class TokenizerComparison
{
    /// <summary>
    /// Names the first id that differs in its text, in the bytes it adds to a text or in being special; null where none does.
    /// </summary>
    /// <param name="reference">The reference model's tokenizer.</param>
    /// <param name="aligned">The aligned model's tokenizer.</param>
    /// <param name="vocabularySize">
    /// How many ids both models can produce: ids over [0, vocabularySize) are compared. An id that names no token in either
    /// tokenizer is padding and no difference; one that names a token in only one of them is.
    /// </param>
    public static string? FirstDifference(ITokenizer reference, ITokenizer aligned, int vocabularySize)
    {
        for (var id = 0; id < vocabularySize; id++)
            if (Difference(id, reference, aligned) is { } difference) return difference;
        return null;
    }

    /// <summary>
    /// Whether a tokenizer is another one with nothing after its last id but <c>pad_token</c>, which a trainer has added to pad its
    /// batches, and which ends no text.
    /// </summary>
    /// <param name="folder">The first tokenizer's folder.</param>
    /// <param name="padded">The first tokenizer.</param>
    /// <param name="reference">The other.</param>
    /// <exception cref="TokenizerException">A file of the folder is malformed.</exception>
    public static bool AddsOnlyPadding(string folder, ITokenizer padded, ITokenizer reference)
    {
        var config = TokenizerConfig.Load(folder);
        if (padded.VocabularySize <= reference.VocabularySize || config.FindName("pad_token") is not { } pad) return false;
        var name = TokenizerConfig.ReadTokenName(pad);
        if (config.FindName("eos_token") is { } end && TokenizerConfig.ReadTokenName(end) == name) return false;
        return Enumerable.Range(reference.VocabularySize, padded.VocabularySize - reference.VocabularySize)
                .All(id => padded.GetToken(id) is not { } token || token == name)
            && FirstDifference(reference, padded, reference.VocabularySize) is null;
    }

    private static string? Difference(int id, ITokenizer reference, ITokenizer aligned)
    {
        var (first, second) = (TokenText(reference, id), TokenText(aligned, id));
        if (first is null && second is null) return null;
        if (first != second)
            return $"token {id} is {Quote(first)} in the reference model's tokenizer but {Quote(second)} in the aligned model's";
        if (reference.IsSpecial(id) != aligned.IsSpecial(id))
            return $"token {id}, {Quote(first)}, is {Kind(reference, id)} in the reference model's tokenizer but "
                + $"{Kind(aligned, id)} in the aligned model's";
        if (reference.GetBytes(id).Span.SequenceEqual(aligned.GetBytes(id).Span)) return null;
        return $"token {id}, {Quote(first)}, stands for the bytes {Hexadecimal(reference, id)} in the reference model's "
            + $"tokenizer but {Hexadecimal(aligned, id)} in the aligned model's";
    }

    private static string? TokenText(ITokenizer tokenizer, int id) => id < tokenizer.VocabularySize ? tokenizer.GetToken(id) : null;

    private static string Quote(string? text) => text is null ? "no token" : $"'{text}'";

    private static string Kind(ITokenizer tokenizer, int id) => tokenizer.IsSpecial(id) ? "special" : "not special";

    private static string Hexadecimal(ITokenizer tokenizer, int id) => Convert.ToHexString(tokenizer.GetBytes(id).Span);
}
