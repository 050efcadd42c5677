namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// SentencePiece's way with spaces as a tokenizer.json has it: a visible character for each space, and one before the text.
/// Older files say <c>add_prefix_space</c>, newer ones <c>prepend_scheme</c> and <c>split</c>.
/// </summary>
internal sealed record Metaspace(string Replacement, string PrependScheme, bool Splits)
{
    /// <summary>Whether decoding drops the replacement at the start of a text.</summary>
    public bool Prepends => PrependScheme != "never";

    public static Metaspace Read(JsonField field)
    {
        field.AllowOnly("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
        var scheme = field.Find("prepend_scheme")?.Text() ?? "always";
        if (scheme is not ("always" or "first" or "never"))
            throw field.Refuse($"the prepend_scheme '{scheme}'", "always, first, never");
        if (field.Find("add_prefix_space")?.Flag() == false)
        {
            if (field.Find("prepend_scheme") is not null && scheme != "never")
                throw field.Error($"says add_prefix_space false and prepend_scheme '{scheme}', which contradict each other");
            scheme = "never";
        }
        var replacement = field["replacement"].Text();
        if (replacement.Length != 1) throw field["replacement"].Error("must be one character");
        return new Metaspace(replacement, scheme, field.Find("split")?.Flag() ?? true);
    }

    public TextPiece ReplaceSpaces(TextPiece piece)
    {
        var text = piece.Text.Replace(" ", Replacement, StringComparison.Ordinal);
        var prepends = PrependScheme == "always" || (PrependScheme == "first" && piece.AtStart);
        if (prepends && !text.StartsWith(Replacement, StringComparison.Ordinal)) text = Replacement + text;
        return piece with { Text = text };
    }
}
