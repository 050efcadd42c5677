using System.Text;

namespace DeRa.Testing;

/// <summary>A folder that a test fills and that is gone with all it holds when the test ends.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dera-test-").FullName;

    /// <summary>Writes a file and returns its path.</summary>
    public string Write(string name, byte[] content)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <inheritdoc cref="Write(string, byte[])"/>
    public string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    /// <summary>Copies all that lies in and below a folder into this one.</summary>
    public TemporaryFolder CopyFrom(string source)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            Copy(file, System.IO.Path.GetRelativePath(source, file));
        return this;
    }

    /// <summary>Copies one file.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="name">Its path in this folder; null = its own name.</param>
    public void Copy(string file, string? name = null)
    {
        var target = System.IO.Path.Combine(Path, name ?? System.IO.Path.GetFileName(file));
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
        File.Copy(file, target);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
