namespace DeRa.Engine.Text.Templates;

/// <summary>
/// The characters that mark, inside a template, where a user's text must not be read as a special token. Unicode keeps
/// U+FDD0 to U+FDEF for such internal use: no text means anything by them.
/// </summary>
internal static class UserMark
{
    public const char First = '\uFDD0';
    public const char Last = '\uFDEF';

    public static bool IsMark(char character) => character is >= First and <= Last;
}
