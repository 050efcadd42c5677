using System.Text.RegularExpressions;

namespace DeRa.Server.Tests.Docs;

/// <summary>What a Markdown file refers to in the checkout: relative links with their headings, and paths that its text names.</summary>
internal static partial class DocLinks
{
    private static readonly string[] Skipped = ["bin", "obj", "node_modules", "TestResults", ".git"];

    /// <summary>Every Markdown file below a folder, without what builds and tests leave there.</summary>
    public static IEnumerable<string> Files(string folder) => Directory.GetFiles(folder, "*.md").Concat(
        Directory.GetDirectories(folder).Where(inner => !Skipped.Contains(Path.GetFileName(inner))).SelectMany(Files));

    /// <summary>What a file refers to that is not there, each as a line of a message; none where all is well.</summary>
    /// <param name="root">The checkout.</param>
    /// <param name="file">A Markdown file in it.</param>
    public static IReadOnlyList<string> Broken(string root, string file)
    {
        var text = File.ReadAllText(file);
        var links = Link().Matches(FencedBlock().Replace(text, "")).Select(link => link.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !Resolves(file, target));
        var paths = NamedPath().Matches(text).Select(path => path.Value.TrimEnd('.', '/'))
            .Where(path => !Path.Exists(Path.Combine(root, path)));
        return [.. links.Concat(paths).Select(target => $"{Path.GetRelativePath(root, file)}: {target}")];
    }

    private static bool Resolves(string file, string target)
    {
        var (path, heading) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, null);
        var linked = path.Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, path));
        return heading is null ? Path.Exists(linked) : File.Exists(linked) && Headings(File.ReadAllText(linked)).Contains(heading);
    }

    /// <summary>The anchors that GitHub gives to headings.</summary>
    private static IEnumerable<string> Headings(string text) => Heading().Matches(FencedBlock().Replace(text, ""))
        .Select(heading => NoAnchor().Replace(heading.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<![\w./-])(?:src|tests|docs|deploy|protos)/[\w./-]+")]
    private static partial Regex NamedPath();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex FencedBlock();

    [GeneratedRegex("^#+ +(.*?) *$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w -]")]
    private static partial Regex NoAnchor();
}
