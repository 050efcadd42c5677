namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>A <c>Replace</c> step, which normalizers and decoders share.</summary>
internal sealed record Replacement(string Old, string Content)
{
    public static Replacement Read(JsonField replace)
    {
        replace.AllowOnly("type", "pattern", "content");
        var pattern = replace["pattern"];
        if (pattern.Find("String") is not { } text) throw pattern.Refuse("a pattern other than String", "String");
        if (text.Text().Length == 0) throw text.Error("must not be empty");
        return new Replacement(text.Text(), replace["content"].Text());
    }

    /// <param name="text">Any text.</param>
    /// <param name="most">Characters that it may become.</param>
    /// <exception cref="TokenizerException">It would become longer.</exception>
    public string Apply(string text, long most)
    {
        if (Content.Length > Old.Length)
            TextGrowth.Check(text.Length + (Content.Length - Old.Length) * (long)text.AsSpan().Count(Old), most);
        return text.Replace(Old, Content, StringComparison.Ordinal);
    }
}
