namespace DeRa.Architecture.Tests.Rules;

/// <summary>Files that people write: not what a build leaves.</summary>
internal static class SourceFiles
{
    /// <summary>The files in and below a folder, by patterns of their names.</summary>
    public static IEnumerable<string> Of(string folder, params string[] patterns) =>
        patterns.SelectMany(pattern => Directory.GetFiles(folder, pattern))
            .Concat(Directory.GetDirectories(folder).Where(IsSource).SelectMany(sub => Of(sub, patterns)))
            .Order(StringComparer.Ordinal);

    private static bool IsSource(string folder) => Path.GetFileName(folder) is not ("bin" or "obj");
}
