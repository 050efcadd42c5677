using System.Collections.Concurrent;
using System.Diagnostics;
using DeRa.Engine.Requests;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.Telemetry;
using DeRa.Testing;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Security;

/// <summary>Whose a request is for the engine: a key's or, without keys, a connection's.</summary>
public sealed class RequestClientTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();
    private readonly Submitted _submitted = new();

    public void Dispose() => _folder.Dispose();

    private async Task<ServerFixture> StartAsync(ServerOptions options)
    {
        var server = await SecuredServer.StartAsync(options);
        server.Services.GetRequiredService<DiagnosticListener>().Subscribe(_submitted!);
        return server;
    }

    private Task<ServerFixture> StartWithKeysAsync(bool sharesCache = false) => StartAsync(
        SecuredServer.WithKeys(_folder) with { Compute = new ComputeOptions { ShareCacheBetweenKeys = sharesCache } });

    /// <summary>What the engine was given of the request that this sends.</summary>
    private async Task<GenerationRequest> OfAsync(Task sent)
    {
        await sent;
        await ServerFixture.EventuallyAsync(() => !_submitted.Requests.IsEmpty);
        Assert.True(_submitted.Requests.TryDequeue(out var request));
        return request;
    }

    private static async Task ChatAsync(ServerFixture server, string key, string more = "") => Assert.Equal(200, (await server.SendAsync(
        HttpMethod.Post, "/v1/chat/completions", key, $$"""{"messages":[{"role":"user","content":"a"}]{{more}}}""")).Status);

    private static async Task CompleteAsync(ServerFixture server, string? key, string more = "") => Assert.Equal(200,
        (await server.SendAsync(HttpMethod.Post, "/v1/completions", key, $$"""{"prompt":"a","stream":true{{more}}}""")).Status);

    private static async Task CallAsync(ServerFixture server, string? key, string? salt = null, GrpcChannel? channel = null)
    {
        var options = new GenerationOptions();
        if (salt is not null) options.CacheSalt = salt;
        await new InferenceService.InferenceServiceClient(channel ?? server.Channel).GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "a" }, Options = options },
            key is null ? [] : SecuredServer.Credentials(key), cancellationToken: Stop);
    }

    private static async Task ConverseAsync(ServerFixture server, string key)
    {
        using var call = server.Inference.Converse(SecuredServer.Credentials(key), cancellationToken: Stop);
        await call.RequestStream.WriteAsync(new ConverseRequest { Start = new ConverseStart { Prompt = new Prompt { Text = "a" } } }, Stop);
        await foreach (var _ in call.ResponseStream.ReadAllAsync(Stop)) { }
    }

    [Fact]
    public async Task A_key_is_one_client_over_HTTP_and_gRPC_and_shares_its_cache_with_no_other()
    {
        await using var server = await StartWithKeysAsync();
        var alice = await OfAsync(CompleteAsync(server, SecuredServer.Key));
        Assert.Equal("alice", alice.Client);
        Assert.NotNull(alice.CacheSalt);
        foreach (var again in (Func<Task>[])[() => ChatAsync(server, SecuredServer.Key), () => CallAsync(server, SecuredServer.Key),
            () => ConverseAsync(server, SecuredServer.Key)])
        {
            var other = await OfAsync(again());
            Assert.Equal((alice.Client, alice.CacheSalt), (other.Client, other.CacheSalt));
        }
        var bob = await OfAsync(CallAsync(server, SecuredServer.OtherKey));
        Assert.Equal("bob", bob.Client);
        Assert.NotEqual(alice.CacheSalt, bob.CacheSalt);
    }

    [Fact]
    public async Task A_key_s_requests_share_their_cache_by_their_salts()
    {
        await using var server = await StartWithKeysAsync();
        var plain = (await OfAsync(CompleteAsync(server, SecuredServer.Key))).CacheSalt;
        var one = (await OfAsync(CompleteAsync(server, SecuredServer.Key, ",\"cache_salt\":\"one\""))).CacheSalt;
        var two = (await OfAsync(ChatAsync(server, SecuredServer.Key, ",\"cache_salt\":\"two\""))).CacheSalt;
        var bobs = (await OfAsync(CallAsync(server, SecuredServer.OtherKey, "one"))).CacheSalt;
        Assert.Equal(4, new[] { plain, one, two, bobs }.Distinct().Count());
        Assert.Equal(one, (await OfAsync(CallAsync(server, SecuredServer.Key, "one"))).CacheSalt);
    }

    [Fact]
    public async Task Keys_share_one_cache_where_the_server_says_so_and_stay_clients_of_their_own()
    {
        await using var server = await StartWithKeysAsync(sharesCache: true);
        foreach (var (key, name) in ((string, string)[])[(SecuredServer.Key, "alice"), (SecuredServer.OtherKey, "bob")])
        {
            var request = await OfAsync(CompleteAsync(server, key));
            Assert.Equal((name, null), (request.Client, request.CacheSalt));
        }
        var alices = await OfAsync(CallAsync(server, SecuredServer.Key, "one"));
        var bobs = await OfAsync(CallAsync(server, SecuredServer.OtherKey, "one"));
        Assert.NotNull(alices.CacheSalt);
        Assert.Equal(alices.CacheSalt, bobs.CacheSalt);
    }

    [Fact]
    public async Task Without_keys_each_connection_is_a_client_and_all_share_one_cache()
    {
        await using var server = await StartAsync(new ServerOptions());
        using var otherHttp = new HttpClient { BaseAddress = server.Http.BaseAddress };
        using var otherChannel = GrpcChannel.ForAddress($"http://{server.Channel.Target}");
        List<Func<Task>> connections = [() => CompleteAsync(server, null), () => PostAsync(otherHttp), () => CallAsync(server, null),
            () => CallAsync(server, null, channel: otherChannel)];
        var clients = new List<string>();
        foreach (var connection in connections)
        {
            var (first, second) = (await OfAsync(connection()), await OfAsync(connection()));
            Assert.Equal((first.Client, null, null), (second.Client, first.CacheSalt, second.CacheSalt));
            Assert.NotEmpty(first.Client);
            clients.Add(first.Client);
        }
        Assert.Equal(connections.Count, clients.Distinct().Count());
    }

    [Theory]
    [InlineData(SecuredServer.Key)]
    [InlineData(null)]
    public async Task Nothing_else_that_a_client_sends_makes_it_another_one(string? key)
    {
        await using var server = await (key is null ? StartAsync(new ServerOptions()) : StartWithKeysAsync());
        var plain = await OfAsync(CompleteAsync(server, key));
        using var request = SecuredServer.Request(HttpMethod.Post, "/v1/completions", key,
            """{"prompt":"a","user":"bob","client":"bob","safety_identifier":"bob","prompt_cache_key":"bob","request_id":"bob"}""");
        foreach (var header in (string[])["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client", "X-Request-Id", "X-User", "User-Agent"])
            request.Headers.TryAddWithoutValidation(header, "bob");
        var other = await OfAsync(server.SendAsync(request));
        Assert.Equal((plain.Client, plain.CacheSalt), (other.Client, other.CacheSalt));
    }

    private static async Task PostAsync(HttpClient http)
    {
        using var request = SecuredServer.Request(HttpMethod.Post, "/v1/completions", json: """{"prompt":"a"}""");
        using var response = await http.SendAsync(request, Stop);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>What the engine was given, as ASP.NET Core reports the end of each request.</summary>
    private sealed class Submitted : IObserver<KeyValuePair<string, object>>
    {
        public ConcurrentQueue<GenerationRequest> Requests { get; } = new();

        public void OnNext(KeyValuePair<string, object> value)
        {
            if (value is { Key: "Microsoft.AspNetCore.Hosting.HttpRequestIn.Stop", Value: HttpContext context }
                && RequestTelemetry.Of(context).Request is { } request) Requests.Enqueue(request.Choices[0].Request);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
