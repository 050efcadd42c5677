namespace DeRa.Torch.Tests;

/// <summary>A folder that is gone with all it holds when the test ends.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dera-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
