namespace DeRa.Engine.Text;

/// <summary>Reads the parts of tokenizer_config.json that change what encoding gives.</summary>
internal static class TokenizerConfigReader
{
    /// <summary>Applies <c>add_bos_token</c> and <c>add_eos_token</c>, where the file states them.</summary>
    /// <param name="config">The file, where there is one.</param>
    /// <param name="surrounding">What the tokenizer's own file says.</param>
    /// <param name="tokens">The vocabulary.</param>
    /// <param name="begin">The token that begins a text where the file names none.</param>
    /// <param name="end">The token that ends a text where the file names none.</param>
    public static SurroundingTokens Apply(
        JsonField? config, SurroundingTokens surrounding, TokenTable tokens, int? begin = null, int? end = null)
    {
        if (config is not { } file) return surrounding;
        if (file.Find("add_bos_token") is { } addBegin && (Find(file, "bos_token", tokens) ?? begin) is { } first)
            surrounding = surrounding.WithBegin(first, addBegin.Flag());
        if (file.Find("add_eos_token") is { } addEnd && (Find(file, "eos_token", tokens) ?? end) is { } last)
            surrounding = surrounding.WithEnd(last, addEnd.Flag());
        return surrounding;
    }

    private static int? Find(JsonField config, string name, TokenTable tokens)
    {
        if (config.Find(name) is not { } field) return null;
        var token = SpecialTokenName.Read(field);
        return tokens.IdOf(token) ?? throw field.Error($"'{token}' is not in the vocabulary");
    }
}
