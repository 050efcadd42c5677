using DeRa.Lab.Data;

namespace DeRa.Lab.Tests.Data;

/// <summary>Documents whose tokens say which document they are of and where they stand in it.</summary>
internal static class Numbered
{
    public const int End = 99;

    /// <summary>Document d: prompt 100·d, 100·d + 1, …, then its text, then the end.</summary>
    public static EncodedDocument Document(int number, int prompt, int text) =>
        new([.. Enumerable.Range(100 * number, prompt + text), End], prompt);
}
