namespace DeRa.Testing.Hub;

/// <summary>A Hub on this machine and an empty cache, to which the environment of this process points.</summary>
public sealed class HubEnvironment : IAsyncDisposable
{
    /// <summary>
    /// The name of the collection whose tests follow one another, because they set the environment. Each test project defines it:
    /// xunit looks for definitions in the test project alone.
    /// </summary>
    public const string Collection = "the Hub's environment";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string?> _before = [];

    public HubEnvironment(string model, string weights = "model.safetensors")
    {
        foreach (var file in Directory.GetFiles(model, "*.json")) Hub.Add(Path.GetFileName(file), File.ReadAllText(file));
        Hub.AddLarge(weights, File.ReadAllBytes(Path.Combine(model, weights)));
        Set("HF_ENDPOINT", Hub.Address.AbsoluteUri);
        Set("HF_HOME", _folder.Path);
        foreach (var name in (string[])["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"]) Set(name, null);
    }

    public FakeHub Hub { get; } = FakeHub.WithModel();

    public string Blob(string file) => Path.Combine(_folder.Path, "hub", "models--org--model", "blobs", Hub.EtagOf(file));

    public string Snapshot => Path.Combine(_folder.Path, "hub", "models--org--model", "snapshots", FakeHub.Commit);

    public void Set(string name, string? value)
    {
        _before.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (name, value) in _before) Environment.SetEnvironmentVariable(name, value);
        await Hub.DisposeAsync();
        _folder.Dispose();
    }
}
