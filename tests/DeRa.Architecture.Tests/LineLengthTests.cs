using System.Text.RegularExpressions;
using DeRa.Architecture.Tests.Rules;
using DeRa.Testing;
using Xunit;

namespace DeRa.Architecture.Tests;

public partial class LineLengthTests
{
    /// <summary>As in .editorconfig, which no compiler enforces.</summary>
    private const int Longest = 140;

    /// <summary>A text of a test that alone takes most of a line (JSON, an expected message) says more in one piece.</summary>
    private const int LongText = 90;

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    public void No_line_is_longer_than_the_limit(string area) =>
        Report.None(
            from path in SourceFiles.Of(Path.Combine(SharedData.ProjectRoot, area), "*.cs")
            from line in TooLong(path)
            where area == "src" || !line.IsText
            select $"{Path.GetRelativePath(SharedData.ProjectRoot, path)}:{line.At}",
            $"Break lines after at most {Longest} characters.");

    [Theory]
    [InlineData("x = 1;", false)]
    [InlineData("call(\"a\", \"b\");", false)]
    [InlineData("text = \"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\";", true)]
    public void Only_a_long_text_excuses_a_long_line(string line, bool isText) => Assert.Equal(isText, HasLongText(line));

    private static IEnumerable<(string At, bool IsText)> TooLong(string path)
    {
        var isInside = false;
        foreach (var (index, line) in File.ReadLines(path).Index())
        {
            // A raw text over several lines begins and ends with an odd number of the quotes that bound it.
            var bounds = RawQuotes().Count(line) % 2 == 1;
            if (line.Length > Longest) yield return ($"{index + 1} ({line.Length})", isInside || HasLongText(line));
            isInside ^= bounds;
        }
    }

    private static bool HasLongText(string line) => Text().Matches(line).Any(text => text.Length > LongText);

    [GeneratedRegex("\"{3,}")]
    private static partial Regex RawQuotes();

    [GeneratedRegex("""
        "{3}.*?"{3,}|"(\\.|[^"\\])*"
        """)]
    private static partial Regex Text();
}
