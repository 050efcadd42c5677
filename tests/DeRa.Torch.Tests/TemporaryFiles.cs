using System.Text;

namespace DeRa.Torch.Tests;

/// <summary>Puts files into a <see cref="TemporaryFolder"/>.</summary>
internal static class TemporaryFiles
{
    public static string Write(this TemporaryFolder folder, string name, byte[] content)
    {
        var path = Path.Combine(folder.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public static string Write(this TemporaryFolder folder, string name, string content) => folder.Write(name, Encoding.UTF8.GetBytes(content));

    /// <summary>Copies the files of a folder, not what lies below it.</summary>
    public static TemporaryFolder CopyFrom(this TemporaryFolder folder, string source)
    {
        foreach (var file in Directory.EnumerateFiles(source)) File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        return folder;
    }
}
