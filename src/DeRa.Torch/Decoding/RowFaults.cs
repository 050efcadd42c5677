using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary>What makes one row fail while the others go on.</summary>
internal static class RowFaults
{
    /// <summary>A token that would address memory outside the row, on a GPU possibly another row's. Null where there is none.</summary>
    public static string? Tokens(LogitRow row, int vocabularySize)
    {
        if (row.Score is { } score && IsOutside(score.Token)) return Outside("the token to score", score.Token, vocabularySize);
        if (row.Sweep is { } sweep && IsOutside(sweep.Token)) return Outside("the token to score", sweep.Token, vocabularySize);
        if (row.Sampling is not { } sampling) return null;
        if (sampling.Parameters.LogitBias.Count > 0)
            foreach (var token in sampling.Parameters.LogitBias.Keys)
                if (IsOutside(token)) return Outside("a token of logit_bias", token, vocabularySize);
        if (MaskFault(sampling.Parameters, vocabularySize) is { } fault) return fault;
        if (!sampling.Parameters.HasPenalties) return null;
        foreach (var token in sampling.History.Span)
            if (IsOutside(token)) return Outside("an earlier token", token, vocabularySize);
        return null;

        bool IsOutside(int token) => (uint)token >= (uint)vocabularySize;
    }

    /// <summary>By the largest logit, which is NaN or +∞ where any is, and −∞ only where all are. Null where it is finite.</summary>
    public static string? Logits(double largest) =>
        double.IsFinite(largest) ? null
        : double.IsNaN(largest) ? "logits are not finite: the mixture holds NaN"
        : double.IsPositive(largest) ? "logits are not finite: the mixture holds +infinity"
        : "logits are not finite: the mixture holds only -infinity";

    private static string? MaskFault(SamplingParameters parameters, int vocabularySize)
    {
        if (!parameters.HasMasks) return null;
        foreach (var token in parameters.AllowedTokens ?? [])
            if ((uint)token >= (uint)vocabularySize) return Outside("an allowed token", token, vocabularySize);
        foreach (var token in parameters.EndTokens)
            if ((uint)token >= (uint)vocabularySize) return Outside("a token that ends the text", token, vocabularySize);
        foreach (var word in parameters.BadWords)
            if ((uint)word[^1] >= (uint)vocabularySize) return Outside("a token of a bad word", word[^1], vocabularySize);
        return null;
    }

    private static string Outside(string what, int token, int vocabularySize) =>
        $"{what}, {token}, is outside the vocabulary [0, {vocabularySize})";
}
