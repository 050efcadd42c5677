namespace DeRa.Text;

/// <summary>Reads how a file names a special token: as a text, or as an object with its <c>content</c>.</summary>
internal static class SpecialTokenName
{
    public static string Read(JsonField field) => field.IsObject ? field["content"].Text() : field.Text();
}
