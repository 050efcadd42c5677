namespace DeRa.Server.Http;

/// <summary>Lists the fields that were ignored, in a header.</summary>
internal static class IgnoredFields
{
    private const int MaxLength = 1024;

    /// <summary>The names, separated by commas; whatever a header cannot hold is percent-encoded.</summary>
    public static string Header(IEnumerable<string> names)
    {
        var text = string.Join(", ", names.Select(Uri.EscapeDataString));
        return text.Length <= MaxLength ? text : text[..MaxLength];
    }
}
