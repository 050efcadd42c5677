using System.Globalization;
using DeRa.Serving;
using DeRa.Serving.Loading;

namespace DeRa.Cli.Score;

/// <summary>What the numbers of a pair depend on, by name: a run that goes on with a file must have the same.</summary>
internal static class PairAbout
{
    /// <summary>Lists it.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(ServedPair pair, ServedPairOptions options)
    {
        yield return new("cache number format", options.Models.CacheDType.Name);
        yield return new("kernels", options.Models.Kernels.Name + (options.Models.Kernels.IsPrefillByLibTorch ? ", prompts by torch" : ""));
        foreach (var (member, folder) in pair.Members.Zip(options.Models.Paths))
            yield return new($"model {member.Name}", $"{Path.GetFullPath(folder)}, {member.DType} on {member.Device}, {FilesOf(folder)}");
    }

    /// <summary>Tells another model in the same folder apart without reading gigabytes.</summary>
    private static string FilesOf(string folder)
    {
        var files = new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        return string.Create(CultureInfo.InvariantCulture,
            $"{files.Sum(file => file.Length)} bytes of {files.Max(file => file.LastWriteTimeUtc):O}");
    }
}
