namespace DeRa.Engine.Text.HuggingFace;

/// <summary>Reads a <c>Replace</c> step, which normalizers and decoders share.</summary>
internal static class ReplaceReader
{
    public static Func<string, string> Read(JsonField replace)
    {
        replace.AllowOnly("type", "pattern", "content");
        var pattern = replace["pattern"];
        if (pattern.Find("String") is not { } text) throw pattern.Refuse("a pattern other than String", "String");
        var (old, content) = (text.Text(), replace["content"].Text());
        if (old.Length == 0) throw text.Error("must not be empty");
        return value => value.Replace(old, content, StringComparison.Ordinal);
    }
}
