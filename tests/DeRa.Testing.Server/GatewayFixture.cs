using System.Text;
using DeRa.Gateway.Composition;
using DeRa.Gateway.Forwarding;
using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using DeRa.Protos.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeRa.Testing.Server;

/// <summary>The gateway on free ports of loopback.</summary>
internal sealed class GatewayFixture : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatewayFixture(WebApplication app)
    {
        _app = app;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        (HttpAddress, GrpcAddress) = (new Uri(addresses.First()), new Uri(addresses.Last()));
        Http = new HttpClient { BaseAddress = HttpAddress, Timeout = Timeout.InfiniteTimeSpan };
        Channel = GrpcChannel.ForAddress(GrpcAddress);
        Inference = new InferenceService.InferenceServiceClient(Channel);
    }

    public Uri HttpAddress { get; }

    public Uri GrpcAddress { get; }

    public HttpClient Http { get; }

    public GrpcChannel Channel { get; }

    public InferenceService.InferenceServiceClient Inference { get; }

    public ReplicaSet Replicas => _app.Services.GetRequiredService<ReplicaSet>();

    public BodyBudget Bodies => _app.Services.GetRequiredService<BodyBudget>();

    public GenerationRoutes Routes => _app.Services.GetRequiredService<GenerationRoutes>();

    /// <summary>Options that look at replicas often and start none of them slowly.</summary>
    public static GatewayOptions Options(params string[] replicas) => new()
    {
        Replica = new() { Replicas = replicas },
        Endpoint = new() { HttpPort = 0, GrpcPort = 0 },
        Health = new() { HealthSeconds = .1, HealthTimeoutSeconds = 120, EjectSeconds = 0, SlowStartSeconds = 0 },
        Forwarding = new() { DrainSeconds = 0, ConnectSeconds = 120 },
    };

    /// <summary>Starts it before these replicas and waits until all are ready.</summary>
    public static Task<GatewayFixture> StartAsync(params string[] replicas) => StartAsync(Options(replicas));

    /// <summary>Starts it and waits until all replicas are ready.</summary>
    public static async Task<GatewayFixture> StartAsync(GatewayOptions options, ILoggerProvider? logs = null,
        Action<IServiceCollection>? services = null, bool isReady = true, TimeProvider? time = null)
    {
        var app = GatewayApplication.Build(options, time ?? TimeProvider.System, logging =>
        {
            if (logs is not null) logging.AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        }, services);
        await app.StartAsync(ServerFixture.Stop);
        var gateway = new GatewayFixture(app);
        if (isReady) await gateway.ReadyAsync();
        return gateway;
    }

    /// <summary>Waits until all replicas are ready.</summary>
    public Task ReadyAsync() =>
        ServerFixture.EventuallyAsync(() => Replicas.All is { Count: > 0 } all && all.All(replica => replica.IsReady));

    /// <summary>The replica of that name.</summary>
    public Replica Replica(string name) => Replicas.All.Single(replica => replica.Name == name);

    public async Task<Reply> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(path, content, ServerFixture.Stop);
        return await Reply.ReadAsync(response);
    }

    public Task<Reply> CompleteAsync(string json) => PostAsync("/v1/completions", json);

    /// <summary>Posts to a stub, whose responses are none of the API's.</summary>
    public async Task<(int Status, string? RetryAfter)> PostToStubAsync(string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync("/v1/completions", content, ServerFixture.Stop);
        return ((int)response.StatusCode, response.Headers.RetryAfter?.ToString());
    }

    /// <summary>Begins a request whose response is read as it comes.</summary>
    public async Task<HttpResponseMessage> BeginAsync(string path, string json, CancellationToken? stop = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
        };
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop ?? ServerFixture.Stop);
    }

    /// <summary>One number of <c>/metrics</c>; 0 where there is none.</summary>
    public async Task<double> MetricAsync(string series)
    {
        var text = await Http.GetStringAsync("/metrics", ServerFixture.Stop);
        return text.Split('\n').Where(line => line.StartsWith(series + " ", StringComparison.Ordinal))
            .Select(line => double.Parse(line[(series.Length + 1)..], null)).SingleOrDefault();
    }

    /// <summary>Stops it as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Channel.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
