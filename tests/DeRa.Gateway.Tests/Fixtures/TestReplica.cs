using DeRa.Engine;
using DeRa.Hosting.Security;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Server;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>The real server over scripted models, behind ports that can die and come back.</summary>
internal sealed class TestReplica : IAsyncDisposable
{
    private readonly Relay _http;
    private readonly Relay _grpc;

    private TestReplica(ServerFixture server)
    {
        Server = server;
        (_http, _grpc) = (new Relay(server.Http.BaseAddress!.Port), new Relay(server.GrpcAddress.Port));
    }

    /// <summary>The server behind the ports now.</summary>
    public ServerFixture Server { get; private set; }

    public GenerationEngine Engine => Server.Engine;

    /// <summary>As <c>--replicas</c> takes it.</summary>
    public string Address => $"{Name}+{_grpc.Port}";

    /// <summary>As metrics have it.</summary>
    public string Name => $"http://127.0.0.1:{_http.Port}";

    public static async Task<TestReplica> StartAsync(
        ScriptedExecutor? executor = null, EngineOptions? engine = null, ApiKeyOptions? keys = null) =>
        new(await ServeAsync(executor, engine, keys));

    /// <summary>As a machine that loses its power.</summary>
    public void Kill()
    {
        _http.Kill();
        _grpc.Kill();
    }

    /// <summary>Comes back with an empty cache.</summary>
    public async Task RestartAsync(ScriptedExecutor? executor = null)
    {
        Kill();
        await Server.DisposeAsync();
        Server = await ServeAsync(executor);
        _http.Start(Server.Http.BaseAddress!.Port);
        _grpc.Start(Server.GrpcAddress.Port);
    }

    /// <summary>Stops as at SIGTERM: what runs is finished.</summary>
    public Task DrainAsync() => Server.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _http.DisposeAsync();
        await _grpc.DisposeAsync();
        await Server.DisposeAsync();
    }

    /// <summary>Room for conversations.</summary>
    public static ScriptedExecutor Roomy() => new(contextTokens: 2048, blockTokens: 8, blockCount: 4096);

    private static async Task<ServerFixture> ServeAsync(
        ScriptedExecutor? executor, EngineOptions? engine = null, ApiKeyOptions? keys = null)
    {
        executor ??= Roomy();
        var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor, engine)), executor,
            options: new ServerOptions { Time = new() { DrainSeconds = 60 }, Key = keys ?? new() });
        await server.PhaseChangedAsync();
        return server;
    }
}
