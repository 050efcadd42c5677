using DeRa.Architecture.Tests.Rules;
using DeRa.Testing;
using Xunit;

namespace DeRa.Architecture.Tests;

public class LineLengthTests
{
    /// <summary>As in .editorconfig, which no compiler enforces.</summary>
    private const int Longest = 140;

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    public void No_line_is_longer_than_the_limit(string area) =>
        Report.None(SourceFiles.Of(Path.Combine(SharedData.ProjectRoot, area), "*.cs").SelectMany(TooLong),
            $"Break lines after at most {Longest} characters.");

    private static IEnumerable<string> TooLong(string path) =>
        File.ReadLines(path).Index().Where(line => line.Item.Length > Longest)
            .Select(line => $"{Path.GetRelativePath(SharedData.ProjectRoot, path)}:{line.Index + 1} ({line.Item.Length})");
}
