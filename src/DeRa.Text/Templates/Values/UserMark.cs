namespace DeRa.Text.Templates.Values;

/// <summary>
/// The characters that mark, inside a template, where a user's text must not be read as a special token. Unicode keeps
/// U+FDD0 to U+FDEF for such internal use: no text means anything by them.
/// </summary>
public static class UserMark
{
    /// <summary>The first of them.</summary>
    public const char First = '\uFDD0';

    /// <summary>The last of them.</summary>
    public const char Last = '\uFDEF';

    /// <summary>Whether a character is one of them.</summary>
    public static bool IsMark(char character) => character is >= First and <= Last;
}
