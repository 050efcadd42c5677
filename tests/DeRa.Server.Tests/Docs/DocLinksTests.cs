using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Docs;

/// <summary>The documentation refers to nothing that is not there.</summary>
public class DocLinksTests
{
    private static readonly string Decisions = Path.Combine(SharedData.ProjectRoot, "docs", "decisions");

    [Fact]
    public void Links_headings_and_paths_in_Markdown_files_exist()
    {
        var files = DocLinks.Files(SharedData.ProjectRoot).ToList();
        Assert.Contains(Path.Combine(SharedData.ProjectRoot, "README.md"), files);
        Assert.Contains(Path.Combine(Decisions, "README.md"), files);
        Assert.Empty(files.SelectMany(file => DocLinks.Broken(SharedData.ProjectRoot, file)));
    }

    [Theory]
    [InlineData("[here](other.md), [there](other.md#the-second-part) and [above](#top)", null)]
    [InlineData("[elsewhere](https://example.com/missing.md)", null)]
    [InlineData("the folder `src/known`, as in `--project src/known`.", null)]
    [InlineData("[gone](missing.md)", "page.md: missing.md")]
    [InlineData("![picture](images/missing.svg)", "page.md: images/missing.svg")]
    [InlineData("[gone](other.md#third)", "page.md: other.md#third")]
    [InlineData("the folder `src/unknown`", "page.md: src/unknown")]
    public void What_does_not_exist_is_found(string text, string? broken)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "src", "known"));
        File.WriteAllText(Path.Combine(folder.Path, "other.md"), "# Other\n\n## The second `part`\n");
        var page = Path.Combine(folder.Path, "page.md");
        File.WriteAllText(page, $"# Top\n\n{text}\n");
        Assert.Equal(broken is null ? [] : [broken], DocLinks.Broken(folder.Path, page));
    }

    [Fact]
    public void The_index_of_decisions_lists_each_once_in_order()
    {
        var files = Directory.GetFiles(Decisions, "0*.md").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(files);
        var listed = File.ReadLines(Path.Combine(Decisions, "README.md"))
            .Where(line => line.StartsWith("| [", StringComparison.Ordinal))
            .Select(line => line.Split('(', ')')[1]);
        Assert.Equal(files, listed);
        Assert.Equal(Enumerable.Range(1, files.Count).Select(number => $"{number:D4}"), files.Select(file => file[..4]));
    }
}
