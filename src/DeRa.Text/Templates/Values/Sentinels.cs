namespace DeRa.Text.Templates.Values;

/// <summary>
/// Characters that stand, inside a template, where a user's text must not be read as a special token. Unicode keeps
/// U+FDD0 to U+FDEF for such internal use: no text means anything by them.
/// </summary>
public static class Sentinels
{
    /// <summary>The first of them.</summary>
    public const char First = '\uFDD0';

    /// <summary>The last of them.</summary>
    public const char Last = '\uFDEF';

    /// <summary>Whether a character is one of them.</summary>
    public static bool Contains(char character) => character is >= First and <= Last;
}
