using DeRa.Client;
using DeRa.Client.Alignment;
using DeRa.Testing.Server;
using Grpc.Net.Client;
using Microsoft.Extensions.AI;
using OpenAI;

namespace DeRa.Clients.Tests.Own;

/// <summary>DeRa's own client over one of its transports.</summary>
internal sealed class ClientUnderTest : IDisposable
{
    public const string Http = "http", Grpc = "grpc";
    private readonly DeRaGrpcClient? _grpc;

    /// <param name="transport"><see cref="Http"/> or <see cref="Grpc"/>.</param>
    /// <param name="server">The server.</param>
    /// <param name="key">The API key.</param>
    /// <param name="refused">Called instead of waiting (HTTP) or before it (gRPC) each time that the server refuses with a status to try
    /// again.</param>
    /// <param name="model">The model; null = the pair.</param>
    public ClientUnderTest(
        string transport, ServerFixture server, string? key = null, Func<Task>? refused = null, string? model = null)
    {
        if (transport == Http)
        {
            var options = new OpenAIClientOptions();
            if (refused is not null) options.RetryPolicy = new WatchedRetryPolicy(refused);
            var http = new DeRaClient(server.Http.BaseAddress!, key, options);
            (Chat, ScoreAsync) = (http.GetChatClient(model), (items, strengths, how) => http.ScoreAsync(items, strengths, how, Stop));
            ChangeAsync = (id, strength) => http.ChangeStrengthAsync(id, strength, cancellation: Stop);
            ChangeNamedAsync = (id, strengths) => http.ChangeStrengthAsync(id, strengths, cancellation: Stop);
            StopAsync = id => http.StopAsync(id, cancellation: Stop);
            return;
        }
        var channel = refused is null ? null
            : new GrpcChannelOptions { HttpHandler = new RefusalHandler(refused), DisposeHttpClient = true };
        _grpc = new DeRaGrpcClient(server.GrpcAddress, key, channel);
        (Chat, ScoreAsync) = (_grpc.GetChatClient(model), (items, strengths, how) => _grpc.ScoreAsync(items, strengths, how, Stop));
        ChangeAsync = (id, strength) => _grpc.ChangeStrengthAsync(id, strength, Stop);
        ChangeNamedAsync = (id, strengths) => _grpc.ChangeStrengthAsync(id, strengths, Stop);
        StopAsync = id => _grpc.StopAsync(id, Stop);
    }

    private static CancellationToken Stop => ServerFixture.Stop;

    public IChatClient Chat { get; }

    public Func<string, double, Task> ChangeAsync { get; }

    public Func<string, IReadOnlyDictionary<string, double>, Task> ChangeNamedAsync { get; }

    public Func<string, Task> StopAsync { get; }

    public Func<IReadOnlyList<ScoreItem>, IReadOnlyList<double>, ScoreOptions?, Task<IReadOnlyList<ItemScores>>> ScoreAsync { get; }

    public void Dispose()
    {
        Chat.Dispose();
        _grpc?.Dispose();
    }

    /// <summary>Notes a response that has its status in its headers: gRPC sends a refusal so.</summary>
    private sealed class RefusalHandler(Func<Task> refused) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.Headers.TryGetValues("grpc-status", out var status) && status.Single() is "8" or "14") await refused();
            return response;
        }
    }
}
