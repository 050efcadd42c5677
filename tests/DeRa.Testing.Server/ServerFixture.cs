using System.Text;
using System.Text.Json;
using DeRa.Engine;
using DeRa.Engine.Scheduling;
using DeRa.Protos.V1;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Text.Chat;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Testing.Server;

/// <summary>The real server on free ports of loopback, over a scripted executor, with a gateway in front where a project asks.</summary>
public sealed class ServerFixture : IAsyncDisposable
{
    public const string Model = "pair";
    private readonly WebApplication _app;
    private readonly GatewayFixture? _gateway;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopped;

    private ServerFixture(WebApplication app, GatewayFixture? gateway, Func<HttpMessageHandler> handler, ScriptedExecutor executor)
    {
        (_app, _gateway, Executor) = (app, gateway, executor);
        var own = app.Services.GetRequiredService<ServerAddresses>();
        GrpcAddress = gateway?.GrpcAddress ?? own.Grpc;
        Channel = GrpcChannel.ForAddress(GrpcAddress, new GrpcChannelOptions { HttpHandler = handler(), DisposeHttpClient = true });
        Http = new HttpClient(handler()) { BaseAddress = gateway?.HttpAddress ?? own.Http };
        Inference = new InferenceService.InferenceServiceClient(Channel);
    }

    /// <summary>
    /// Whether every server that is started from now on has a gateway in front of it. Its clients have the gateway's addresses then, and a
    /// test in which one reaches the server itself fails at its end.
    /// </summary>
    internal static bool IsBehindGateway { get; set; }

    /// <summary>Which requests the gateway has forwarded; null where there is none.</summary>
    internal BypassCheck? Bypass { get; private init; }

    /// <summary>For clients, with the address for HTTP.</summary>
    public HttpClient Http { get; }

    /// <summary>The address for gRPC, for clients that do not use <see cref="Channel"/>.</summary>
    public Uri GrpcAddress { get; }

    public GrpcChannel Channel { get; }

    public InferenceService.InferenceServiceClient Inference { get; }

    public ScriptedExecutor Executor { get; }

    internal IServiceProvider Services => _app.Services;

    internal ServingState State => Services.GetRequiredService<ServingState>();

    public GenerationEngine Engine => State.Pair!.Engine;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts a server and waits until it serves.</summary>
    public static async Task<ServerFixture> StartAsync(ScriptedExecutor? executor = null, EngineOptions? engine = null,
        RequestLimits? limits = null, ILoggerProvider? logs = null, string[]? aligned = null, ChatTemplate? chats = null,
        string model = Model, double? beta = null)
    {
        executor ??= new ScriptedExecutor();
        var fixture = await StartLoadingAsync((_, _) => Task.FromResult(
            Pair(executor, engine, limits, aligned: aligned, chats: chats, model: model, beta: beta)), executor, logs);
        await fixture.PhaseChangedAsync();
        return fixture;
    }

    /// <summary>Starts a server whose models are still being loaded.</summary>
    internal static async Task<ServerFixture> StartLoadingAsync(
        PairSource source, ScriptedExecutor? executor = null, ILoggerProvider? logs = null, ServerOptions? options = null,
        Func<HttpMessageHandler>? handler = null, TimeProvider? time = null)
    {
        options ??= new ServerOptions { Time = new() { DrainSeconds = 0 } };
        options = options with { Endpoint = options.Endpoint with { HttpPort = 0, GrpcPort = 0 } };
        var bypass = IsBehindGateway ? new BypassCheck() : null;
        var app = ServerApplication.Build(options, _ => source, time ?? TimeProvider.System, logging =>
        {
            if (logs is not null) logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
            bypass?.AddToServer(logging.Services);
        });
        // The channel needs the address, which is known only after the start; loading begins with the start.
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Services.GetRequiredService<ServingState>().Changed += _ => ready.TrySetResult();
        await app.StartAsync(Stop);
        var gateway = bypass is null ? null : await StartGatewayAsync(app.Services.GetRequiredService<ServerAddresses>());
        var fixture = new ServerFixture(app, gateway, handler ?? (() => new SocketsHttpHandler()), executor ?? new ScriptedExecutor())
        {
            Bypass = bypass,
        };
        _ = ready.Task.ContinueWith(_ => fixture._ready.TrySetResult(), TaskScheduler.Default);
        return fixture;
    }

    internal static ServedPair Pair(
        IStepExecutor executor, EngineOptions? engine = null, RequestLimits? limits = null, TimeProvider? time = null,
        string[]? aligned = null, ChatTemplate? chats = null, string model = Model, string[]? rewards = null,
        double? beta = null)
    {
        var running = new GenerationEngine(executor, (engine ?? new EngineOptions()) with { ModelName = model },
            time ?? TimeProvider.System, NullLogger<GenerationEngine>.Instance);
        var tokenizer = new ByteTokenizer();
        var names = new ServedNames(model, aligned ?? ["aligned"]) { Rewards = rewards ?? [] };
        var defaults = new GenerationDefaults
        {
            EndOfSequenceTokens = new HashSet<int> { ByteTokenizer.Eos },
            ChatTemplate = chats,
            Beta = beta,
        };
        return new ServedPair
        {
            Names = names,
            Tokenizer = tokenizer,
            Validator = new RequestValidator(names, tokenizer, defaults, limits ?? new RequestLimits(), running.Limits),
            Engine = running,
            LoadedAt = DateTimeOffset.UnixEpoch.AddDays(20_000),
        };
    }

    /// <summary>Waits until the phase has changed once (loading has ended or failed), and a gateway has seen it.</summary>
    public async Task PhaseChangedAsync()
    {
        await _ready.Task.WaitAsync(Stop);
        if (_gateway is not null && State.IsReady) await _gateway.ReadyAsync();
    }

    /// <summary>Stops the server as SIGTERM does.</summary>
    public Task StopAsync()
    {
        _stopped = true;
        return _app.StopAsync(CancellationToken.None);
    }

    public async Task<Reply> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(path, content, Stop);
        return await Reply.ReadAsync(response);
    }

    public Task<Reply> CompleteAsync(string json) => PostAsync("/v1/completions", json);

    public Task<Reply> ChatAsync(string json) => PostAsync("/v1/chat/completions", json);

    public async Task<Reply> GetAsync(string path)
    {
        using var response = await Http.GetAsync(path, Stop);
        return await Reply.ReadAsync(response);
    }

    /// <summary>Waits, without sleeping, until something that other threads bring about has come about.</summary>
    public static async Task EventuallyAsync(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Executor.EndTest();
        Http.Dispose();
        Channel.Dispose();
        if (_gateway is not null) await _gateway.DisposeAsync();
        if (!_stopped) await StopAsync();
        await _app.DisposeAsync();
        Assert.Empty(Bypass?.Bypasses ?? []);
    }

    private static Task<GatewayFixture> StartGatewayAsync(ServerAddresses server) => GatewayFixture.StartAsync(
        GatewayFixture.Options($"{server.Http.GetLeftPart(UriPartial.Authority)}+{server.Grpc.Port}"),
        services: BypassCheck.AddToGateway, isReady: false);
}

/// <summary>A response of the HTTP endpoint.</summary>
public sealed record Reply(int Status, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json { get; } = Parse(Body);

    public JsonElement Error => Json.GetProperty("error");

    public string? Param => Error.GetProperty("param").GetString();

    public string? Code => Error.GetProperty("code").GetString();

    public string Type => Error.GetProperty("type").GetString()!;

    public JsonElement Choice(int index = 0) => Json.GetProperty("choices")[index];

    public string Text(int index = 0) => Choice(index).TryGetProperty("text", out var text)
        ? text.GetString()! : Choice(index).GetProperty("message").GetProperty("content").GetString()!;

    /// <summary>The events of a stream, without the last, [DONE].</summary>
    public IReadOnlyList<JsonElement> Events()
    {
        var lines = Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.StartsWith("data: ", line));
        Assert.Equal("data: [DONE]", lines[^1]);
        return [.. lines[..^1].Select(line => Parse(line["data: ".Length..]))];
    }

    public static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var reply = new Reply((int)response.StatusCode, await response.Content.ReadAsStringAsync(ServerFixture.Stop), headers);
        ResponseCheck.AssertValid(response, reply.Body);
        return reply;
    }

    private static JsonElement Parse(string text)
    {
        if (!text.StartsWith('{')) return default;
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
