namespace DeRa.Text.Tokenizers;

/// <summary>A token that is matched in the text as a whole instead of being built by merges.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="SingleWord">Matches only where no letter, digit or underscore touches it.</param>
/// <param name="LeftStrip">Takes the white space before it.</param>
/// <param name="RightStrip">Takes the white space after it.</param>
/// <param name="Normalized">Is looked for in the normalized text, in its own normalized form.</param>
/// <param name="Special">Is a control token: decoding leaves it out, and a user's text never becomes it.</param>
internal sealed record AddedToken(
    int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special)
{
    /// <summary>Reads one from tokenizer.json's <c>added_tokens</c> or tokenizer_config.json's <c>added_tokens_decoder</c>.</summary>
    public static AddedToken Read(JsonField field, int id)
    {
        field.AllowOnly("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special", "__type");
        bool Flag(string name) => field.Find(name)?.Flag() ?? false;
        return new AddedToken(
            id, field["content"].Text(), Flag("single_word"), Flag("lstrip"), Flag("rstrip"), Flag("normalized"), Flag("special"));
    }
}
