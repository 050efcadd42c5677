using DeRa.Testing;
using DeRa.Testing.Hub;

namespace DeRa.Hub.Tests;

/// <summary>A Hub, an empty cache and the models over both.</summary>
internal sealed class HubFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<HubModels> _opened = [];

    public HubFixture(FakeHub? hub = null) => Hub = hub ?? FakeHub.WithModel();

    public FakeHub Hub { get; }

    public string Cache => Path.Combine(_folder.Path, "hub");

    public string ModelFolder => Path.Combine(Cache, "models--org--model");

    public string Snapshot => Path.Combine(ModelFolder, "snapshots", FakeHub.Commit);

    public InstantTime Time { get; } = new();

    public Arrivals Arrivals { get; } = new();

    public HubModels Models(string? token = null, bool offline = false, long freeBytes = long.MaxValue)
    {
        var options = new HubOptions { Endpoint = Hub.Address, CacheFolder = Cache, Token = token, IsOffline = offline };
        var models = new HubModels(options, Time) { FreeBytes = _ => freeBytes };
        _opened.Add(models);
        return models;
    }

    /// <summary>Resolves a name with new models over the same cache.</summary>
    public Task<string> ResolveAsync(string name = "org/model", string? token = null, bool offline = false) =>
        Models(token, offline).ResolveAsync(name, null, Arrivals, Xunit.TestContext.Current.CancellationToken);

    /// <summary>The message with which that fails.</summary>
    public async Task<string> FailureAsync(string name = "org/model", string? token = null, bool offline = false) =>
        (await Xunit.Assert.ThrowsAsync<HubException>(() => ResolveAsync(name, token, offline))).Message;

    /// <summary>The storage's next readers get so many bytes each.</summary>
    public void CutAfter(string path, int bytes, int times = 1) =>
        Hub.Next(FakeHub.InStorage(path), Hub.CutAfter(path, bytes, Arrivals.Of), times);

    public string Blob(string path) => Path.Combine(ModelFolder, "blobs", Hub.EtagOf(path));

    /// <summary>Puts the beginning of a file where a cut download leaves it.</summary>
    public void LeaveIncomplete(string path, ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Blob(path))!);
        File.WriteAllBytes(Blob(path) + ".incomplete", content);
    }

    public async ValueTask DisposeAsync()
    {
        _opened.ForEach(models => models.Dispose());
        await Hub.DisposeAsync();
        _folder.Dispose();
    }
}
