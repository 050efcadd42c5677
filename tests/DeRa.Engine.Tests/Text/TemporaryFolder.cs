namespace DeRa.Engine.Tests.Text;

/// <summary>A folder that a test fills and that goes away with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dera-text-").FullName;

    public TemporaryFolder Write(string name, string content)
    {
        File.WriteAllText(System.IO.Path.Combine(Path, name), content);
        return this;
    }

    public void Copy(string file) => File.Copy(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
