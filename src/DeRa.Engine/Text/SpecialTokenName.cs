namespace DeRa.Engine.Text;

/// <summary>Reads how tokenizer_config.json names a special token: as a text, or as an object with its <c>content</c>.</summary>
internal static class SpecialTokenName
{
    public static string Read(JsonField field) => field.IsObject ? field["content"].Text() : field.Text();
}
