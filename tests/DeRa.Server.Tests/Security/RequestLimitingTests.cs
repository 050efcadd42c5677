using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Testing;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace DeRa.Server.Tests.Security;

public sealed class RequestLimitingTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private static readonly GenerateRequest Call = new() { Prompt = new Prompt { Text = "a" } };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_route_that_generates_or_encodes_is_limited_and_no_other()
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder, change: keys => keys with { MaxRequestsPerMinute = 1 }));
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
        var routes = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<GrpcMethodMetadata>() is null
                && !route.RoutePattern.RawText!.Contains("{unimplemented", StringComparison.Ordinal)).ToList();
        foreach (var route in routes)
        {
            var (path, isPost) =
                (route.RoutePattern.RawText!, route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains("POST"));
            var reply = isPost ? await server.SendAsync(HttpMethod.Post, path, SecuredServer.Key, "{}")
                : await server.SendAsync(HttpMethod.Get, path.Replace("{**id}", "pair", StringComparison.Ordinal), SecuredServer.Key);
            // A change of a stream that runs is not counted: with one request at a time nobody could make it.
            var isLimited = isPost && path != RunningGenerations.Path + "/{id}";
            Assert.Equal((path, isLimited), (path, reply.Status == 429));
        }
        Assert.Equal(8, routes.Count(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains("POST")));
        foreach (var method in InferenceService.Descriptor.Methods)
            Assert.Equal((method.Name, method.Name is not ("ListModels" or "GetServerInfo")),
                (method.Name, await IsRefusedAsync(server, method)));
    }

    /// <summary>Whether a call is refused for its client's limits; its message is one that each method takes.</summary>
    private static async Task<bool> IsRefusedAsync(ServerFixture server, MethodDescriptor method)
    {
        var bytes = Marshallers.Create<byte[]>(message => message, message => message);
        var type = method.IsClientStreaming ? MethodType.DuplexStreaming : method.IsServerStreaming ? MethodType.ServerStreaming
            : MethodType.Unary;
        using var call = server.Channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(type, method.Service.FullName, method.Name, bytes, bytes), null,
            new CallOptions(SecuredServer.Credentials(), cancellationToken: Stop));
        await call.RequestStream.WriteAsync(method.IsClientStreaming
            ? new ConverseRequest { Start = new() { Prompt = Call.Prompt } }.ToByteArray() : [], Stop);
        await call.RequestStream.CompleteAsync();
        try
        {
            while (await call.ResponseStream.MoveNext(Stop)) { }
            return false;
        }
        catch (RpcException fault)
        {
            return fault.StatusCode == StatusCode.ResourceExhausted;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_key_may_send_so_many_requests_in_a_minute_and_not_one_more(int rate)
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder, change: keys => keys with { MaxRequestsPerMinute = rate }));
        for (var i = 0; i < rate; i++) Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
        var refused = await server.CompleteWithAsync(SecuredServer.Key);
        Assert.Equal((429, "rate_limit_error", "rate_limit_exceeded"), (refused.Status, refused.Type, refused.Code));
        Assert.Equal(60 / rate, int.Parse(refused.Headers["Retry-After"], null));
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", SecuredServer.Key, "{}")).Status);
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Inference.GenerateAsync(Call, SecuredServer.Credentials(), cancellationToken: Stop));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        Assert.Equal(60 / rate, fault.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds);
        Assert.Equal("RATE_LIMIT_EXCEEDED", fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        // What only reads goes on, and so do others.
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/v1/models", SecuredServer.Key)).Status);
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.OtherKey)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_may_have_so_many_requests_under_way_and_not_one_more(bool stream)
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder, change: keys => keys with { MaxConcurrentRequests = 2 }),
            executor);
        var body = $$"""{"prompt":"a","stream":{{(stream ? "true" : "false")}}}""";
        var running = new[] { server.CompleteWithAsync(SecuredServer.Key, body), server.CompleteWithAsync(SecuredServer.Key, body) };
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is var status && status.RunningSequences
            + status.QueuedSequences == 2);
        var refused = await server.CompleteWithAsync(SecuredServer.Key);
        Assert.Equal((429, "rate_limit_error", "1"), (refused.Status, refused.Type, refused.Headers["Retry-After"]));
        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Inference.GenerateAsync(Call, SecuredServer.Credentials(), cancellationToken: Stop));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        Assert.Equal(1, fault.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds);
        var other = server.CompleteWithAsync(SecuredServer.OtherKey);
        hold.Release(1000);
        Assert.All(await Task.WhenAll([.. running, other]), reply => Assert.Equal(200, reply.Status));
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
    }

    [Fact]
    public async Task A_client_that_leaves_its_stream_makes_room()
    {
        await using var server = await SecuredServer.StartAsync(
            SecuredServer.WithKeys(_folder, change: keys => keys with { MaxConcurrentRequests = 1 }), Scripts.Endless());
        using (var request = SecuredServer.Request(
            HttpMethod.Post, "/v1/completions", SecuredServer.Key, """{"prompt":"a","stream":true,"max_tokens":1000000}"""))
        using (await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop))
            Assert.Equal(429, (await server.CompleteWithAsync(SecuredServer.Key, """{"prompt":"a","max_tokens":1}""")).Status);
        using (var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = Call.Prompt, Options = new GenerationOptions { MaxTokens = 1_000_000 } },
            SecuredServer.Credentials(SecuredServer.OtherKey), cancellationToken: Stop))
        {
            Assert.True(await call.ResponseStream.MoveNext(Stop));
            Assert.Equal(429, (await server.CompleteWithAsync(SecuredServer.OtherKey, """{"prompt":"a","max_tokens":1}""")).Status);
        }
        foreach (var key in (string[])[SecuredServer.Key, SecuredServer.OtherKey])
        {
            int status;
            while ((status =
                (await server.CompleteWithAsync(key,
                """{"prompt":"a","max_tokens":1}""")).Status) == 429) Stop.ThrowIfCancellationRequested();
            Assert.Equal(200, status);
        }
    }

    [Fact]
    public async Task What_is_refused_for_too_many_at_once_does_not_count_for_the_minute()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await SecuredServer.StartAsync(
            SecuredServer.WithKeys(_folder, change: keys => keys with { MaxConcurrentRequests = 1, MaxRequestsPerMinute = 2 }), executor);
        var running = server.CompleteWithAsync(SecuredServer.Key);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        for (var i = 0; i < 5; i++)
            Assert.Contains("at once", (await server.CompleteWithAsync(SecuredServer.Key)).Body, StringComparison.Ordinal);
        hold.Release(1000);
        Assert.Equal((200, 200), ((await running).Status, (await server.CompleteWithAsync(SecuredServer.Key)).Status));
        Assert.Contains("in a minute", (await server.CompleteWithAsync(SecuredServer.Key)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_s_line_goes_before_the_options_and_may_change()
    {
        var options = SecuredServer.WithKeys(_folder, "rate=2/min concurrent=9", change: keys => keys with { MaxRequestsPerMinute = 1 });
        await using var server = await SecuredServer.StartAsync(options);
        async Task<int[]> StatusesAsync(string key) =>
            [(await server.CompleteWithAsync(key)).Status, (await server.CompleteWithAsync(key)).Status,
                (await server.CompleteWithAsync(key)).Status];
        var (alice, bob) = (await StatusesAsync(SecuredServer.Key), await StatusesAsync(SecuredServer.OtherKey));
        Assert.Equal([200, 200, 429], alice);
        Assert.Equal([200, 429, 429], bob);
        SecuredServer.WithKeys(_folder, "rate=3/min");
        server.Services.GetRequiredService<ApiKeys>().File!.Refresh(new LogCollector());
        alice = await StatusesAsync(SecuredServer.Key);
        Assert.Equal([200, 200, 200], alice);
        Assert.Equal(429, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
    }

    [Fact]
    public async Task Without_keys_all_clients_count_as_one()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions { Key = new() { MaxRequestsPerMinute = 2 } });
        int[] statuses =
        [
            (await server.CompleteAsync("""{"prompt":"a"}""")).Status, (await server.CompleteWithAsync(SecuredServer.Key)).Status,
            (await server.CompleteWithAsync(SecuredServer.OtherKey)).Status,
        ];
        Assert.Equal([200, 200, 429], statuses);
    }

    [Fact]
    public async Task A_wrong_key_uses_up_nobody_s_requests()
    {
        await using var server =
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder, change: keys => keys with { MaxRequestsPerMinute = 1 }));
        for (var i = 0; i < 3; i++) Assert.Equal(401, (await server.CompleteWithAsync("dera-wrong")).Status);
        Assert.Equal(200, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
    }
}
