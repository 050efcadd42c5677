using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

[assembly: AssemblyFixture(typeof(DeRa.Page.Tests.StoriesServer))]

namespace DeRa.Page.Tests;

/// <summary>A server on the default pair, with two rewards and a β, for all tests.</summary>
public sealed class StoriesServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ServerFixture? _server;

    public ServerFixture Server => _server!;

    public Uri Address => Server.Http.BaseAddress!;

    public async ValueTask InitializeAsync()
    {
        var rewards = _folder.Write("rewards.json", """{"happy": "sentiment", "story": "story"}""");
        var options = OptionReader.Read(["--rewards", rewards, "--beta", "0.1"], new Dictionary<string, string>());
        _server = await ServerFixture.StartLoadingAsync(PairStartup.For(options, NullLoggerFactory.Instance),
            options: options with { Time = options.Time with { DrainSeconds = 0 } });
        await _server.PhaseChangedAsync();
        Assert.Null(_server.State.Failure);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
