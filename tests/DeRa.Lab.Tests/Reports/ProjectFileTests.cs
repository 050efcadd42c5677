using System.Text.RegularExpressions;
using Xunit;

namespace DeRa.Lab.Tests.Reports;

/// <summary>
/// A pattern with ** after a property searches the whole drive where the property is empty, as those of packages are in a fresh
/// clone: MSBuild refuses that (MSB5029), and looks at items whose condition is false too.
/// </summary>
public class ProjectFileTests
{
    [Fact]
    public void No_pattern_of_items_can_search_a_whole_drive()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "DeRa.sln"))) root = Path.GetDirectoryName(root)!;
        var files = ((string[])["src", "tests"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.*proj", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(root, folder), "*.props", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Path.Combine(root, folder), "*.targets", SearchOption.AllDirectories)))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !file.Contains("node_modules", StringComparison.Ordinal)).ToList();
        Assert.True(files.Count > 10);
        Assert.All(files, file => Assert.DoesNotMatch(new Regex("""["; ](?:\$\([^)]*\))+[/\\][^";]*\*\*"""), File.ReadAllText(file)));
    }
}
