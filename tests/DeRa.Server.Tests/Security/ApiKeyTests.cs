using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Http.Page;
using DeRa.Server.Options;
using DeRa.Testing;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests.Security;

public sealed class ApiKeyTests : IDisposable
{
    private const string Wrong = "dera-0123456789abcdef0123456789abcdee";
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private static readonly string[] Open = ["/livez", "/readyz", "/health", "/grpc.health.v1.Health/Check", "/",
        .. PageFile.All.Select(file => PageEndpoints.Folder + file.Name)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Task<ServerFixture> StartAsync() => SecuredServer.StartAsync(SecuredServer.WithKeys(_folder));

    [Theory]
    [InlineData(null)]
    [InlineData(Wrong)]
    [InlineData("")]
    public async Task Every_route_that_is_mapped_is_closed_without_the_right_key(string? key)
    {
        await using var server = await StartAsync();
        var routes = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        Assert.True(routes.Count > 10);
        foreach (var route in routes)
        {
            var path = "/" + route.RoutePattern.RawText!.TrimStart('/').Replace("{**id}", "pair", StringComparison.Ordinal)
                .Replace("{id}", "pair", StringComparison.Ordinal);
            Assert.DoesNotContain('{', path);
            var methods = route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["POST"];
            foreach (var method in methods)
            {
                var isOpen = Open.Contains(path);
                Assert.Equal(isOpen, route.Metadata.GetMetadata<IAllowAnonymous>() is not null);
                if (path.Contains(".v1", StringComparison.Ordinal)) await GrpcClosedAsync(server, path, key, isOpen);
                else await HttpClosedAsync(server, new HttpMethod(method), path, key, isOpen);
            }
        }
    }

    private static async Task HttpClosedAsync(ServerFixture server, HttpMethod method, string path, string? key, bool isOpen)
    {
        var reply = await server.SendAsync(method, path, key, method == HttpMethod.Post ? "{}" : null);
        Assert.Equal(isOpen ? 200 : 401, reply.Status);
        if (isOpen || method == HttpMethod.Head) return;
        Assert.Equal(("authentication_error", "invalid_api_key", null), (reply.Type, reply.Code, reply.Param));
        Assert.Equal("Bearer", reply.Headers["WWW-Authenticate"]);
        Assert.Matches("^[0-9a-f]{32}$", reply.Headers["x-request-id"]);
    }

    private static async Task GrpcClosedAsync(ServerFixture server, string path, string? key, bool isOpen)
    {
        var parts = path.Trim('/').Split('/');
        var bytes = Marshallers.Create<byte[]>(value => value, value => value);
        var method = new Method<byte[], byte[]>(MethodType.Unary, parts[0], parts[1], bytes, bytes);
        var call = server.Channel.CreateCallInvoker().AsyncUnaryCall(
            method, null, new CallOptions(key is null ? null : SecuredServer.Credentials(key), cancellationToken: Stop), []);
        if (isOpen)
        {
            await call;
            return;
        }
        var fault = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
        Assert.Equal("INVALID_API_KEY", fault.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }

    [Theory]
    [InlineData("GET", "/nowhere")]
    [InlineData("POST", "/")]
    [InlineData("GET", "/v1/completions")]
    [InlineData("DELETE", "/livez/../v1/models")]
    [InlineData("POST", "/livez")]
    [InlineData("OPTIONS", "/v1/completions")]
    [InlineData("GET", "/livez/")]
    [InlineData("POST", "/dera.v1.InferenceService/Generate")]
    [InlineData("POST", "/dera.v1.Other/Do")]
    public async Task What_leads_nowhere_is_closed_too(string method, string path)
    {
        await using var server = await StartAsync();
        var reply = await server.SendAsync(new HttpMethod(method), path);
        // A trailing slash is the same path.
        Assert.Equal(path == "/livez/" ? 200 : 401, reply.Status);
        if (method == "GET" && path == "/nowhere") Assert.Equal(404,
            (await server.SendAsync(HttpMethod.Get, path, SecuredServer.Key)).Status);
    }

    [Fact]
    public async Task Each_key_opens_both_doors()
    {
        await using var server = await StartAsync();
        foreach (var key in (string[])[SecuredServer.Key, SecuredServer.OtherKey])
        {
            Assert.Equal("fine", (await server.CompleteWithAsync(key)).Text());
            Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/v1/models", key)).Status);
            var call = new GenerateRequest { Prompt = new Prompt { Text = "a" } };
            Assert.Equal("fine",
                (await server.Inference.GenerateAsync(call, SecuredServer.Credentials(key), cancellationToken: Stop)).Choices[0].Text);
            using var reflection = new ServerReflection.ServerReflectionClient(server.Channel)
                .ServerReflectionInfo(SecuredServer.Credentials(key), cancellationToken: Stop);
            await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Stop);
            Assert.True(await reflection.ResponseStream.MoveNext(Stop));
            await reflection.RequestStream.CompleteAsync();
        }
    }

    [Theory]
    [InlineData("bearer " + SecuredServer.Key, 200)]
    [InlineData("Bearer  " + SecuredServer.Key, 200)]
    [InlineData("Bearer", 401)]
    [InlineData("Bearer ", 401)]
    [InlineData("Basic " + SecuredServer.Key, 401)]
    [InlineData(SecuredServer.Key, 401)]
    [InlineData("Bearer " + SecuredServer.Key + "0", 401)]
    [InlineData("Bearer " + SecuredServer.Hash, 401)]
    [InlineData("Bearer alice", 401)]
    [InlineData("Bearer DERA-0123456789ABCDEF0123456789ABCDEF", 401)]
    public async Task Only_the_whole_key_in_the_right_form_opens(string header, int status)
    {
        await using var server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        Assert.Equal(status, (await server.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Two_headers_are_no_key()
    {
        await using var server = await StartAsync();
        using var request = SecuredServer.Request(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("Authorization", ["Bearer " + SecuredServer.Key, "Bearer " + SecuredServer.Key]);
        Assert.Equal(401, (await server.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Health_is_checked_without_a_key_but_watched_with_one()
    {
        await using var server = await StartAsync();
        var health = new Health.HealthClient(server.Channel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving,
            (await health.CheckAsync(new HealthCheckRequest(), cancellationToken: Stop)).Status);
        using var refused = health.Watch(new HealthCheckRequest(), cancellationToken: Stop);
        Assert.Equal(StatusCode.Unauthenticated,
            (await Assert.ThrowsAsync<RpcException>(async () => await refused.ResponseStream.MoveNext(Stop))).StatusCode);
        using var watch = health.Watch(new HealthCheckRequest(), SecuredServer.Credentials(), cancellationToken: Stop);
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
    }

    [Fact]
    public async Task The_key_of_the_environment_opens_beside_those_of_the_file()
    {
        var options = SecuredServer.WithKeys(_folder, change: keys => keys with { ApiKey = new Secret("a-key-of-16-chars") });
        await using var server = await SecuredServer.StartAsync(options);
        foreach (var key in (string[])["a-key-of-16-chars", SecuredServer.Key, SecuredServer.OtherKey])
            Assert.Equal(200, (await server.CompleteWithAsync(key)).Status);
        Assert.Equal(401, (await server.CompleteWithAsync(Wrong)).Status);
        await using var alone =
            await SecuredServer.StartAsync(new ServerOptions { Key = new() { ApiKey = new Secret("a-key-of-16-chars") } });
        Assert.Equal((200, 401),
            ((await alone.CompleteWithAsync("a-key-of-16-chars")).Status, (await alone.CompleteWithAsync(Wrong)).Status));
    }

    [Fact]
    public async Task Without_keys_the_server_is_open_and_a_key_does_no_harm()
    {
        await using var server = await SecuredServer.StartAsync(new ServerOptions());
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
        Assert.Equal(200, (await server.CompleteWithAsync(Wrong)).Status);
    }

    [Fact]
    public async Task A_changed_file_is_in_use_without_a_restart_and_a_broken_one_changes_nothing()
    {
        var logs = new LogCollector();
        var options = SecuredServer.WithKeys(_folder);
        await using var server = await SecuredServer.StartAsync(options, logs: logs);
        var file = server.Services.GetRequiredService<ApiKeys>().File!;
        async Task<(int, int)> TryAsync() => (
            (await server.SendAsync(HttpMethod.Get, "/v1/models", SecuredServer.Key)).Status,
            (await server.SendAsync(HttpMethod.Get, "/v1/models", SecuredServer.OtherKey)).Status);
        void Look() => file.Refresh(logs);
        Assert.Equal((200, 200), await TryAsync());

        _folder.Write("keys", $"bob {SecuredServer.OtherHash}");
        Look();
        Assert.Equal((401, 200), await TryAsync());
        foreach (var broken in (string[])["\n", $"bob {SecuredServer.OtherHash}\nalice {SecuredServer.Key}"])
        {
            _folder.Write("keys", broken);
            Look();
            Look();
            Assert.Equal((401, 200), await TryAsync());
        }
        File.Delete(options.Key.ApiKeys!);
        Look();
        Assert.Equal((401, 200), await TryAsync());
        _folder.Write("keys", $"alice {SecuredServer.Hash}");
        Look();
        Assert.Equal((200, 401), await TryAsync());

        var faults = logs.Lines.Where(line =>
            line.StartsWith("Reload failed; keeping the previous configuration: ", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, faults.Count);
        Assert.Contains("holds no key", faults[0], StringComparison.Ordinal);
        Assert.Contains("line 2", faults[1], StringComparison.Ordinal);
        Assert.Contains("--api-keys", faults[2], StringComparison.Ordinal);
        Assert.All(logs.Lines, line => Assert.DoesNotContain(SecuredServer.Key, line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_are_looked_at_every_few_seconds()
    {
        var time = new FakeTimeProvider();
        var path = _folder.Write("watched", "old");
        var seen = new ConcurrentQueue<string>();
        var watched = new ReloadedFiles([new OptionFile("option", path)], contents => seen.Enqueue(Encoding.UTF8.GetString(contents[0])));
        using var refresh = new FileReloading([watched], time, NullLogger<FileReloading>.Instance);
        await refresh.StartAsync(Stop);
        _folder.Write("watched", "new");
        await ServerFixture.EventuallyAsync(() =>
        {
            time.Advance(FileReloading.Interval);
            return seen.Count == 2;
        });
        Assert.Equal(["old", "new"], seen);
        await refresh.StopAsync(Stop);
    }

    [Fact]
    public async Task Keys_are_neither_logged_nor_traced_nor_repeated()
    {
        var logs = new LogCollector();
        var traced = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
                traced.Enqueue(string.Join('\n', span.TagObjects) + string.Join('\n', span.Events.SelectMany(e => e.Tags))),
        };
        ActivitySource.AddActivityListener(listener);
        const string fromOption = "a-key-of-16-chars";
        var options = SecuredServer.WithKeys(_folder, change: keys => keys with { ApiKey = new Secret(fromOption) });
        var answers = new List<string>();
        await using (var server = await SecuredServer.StartAsync(options, logs: logs))
        {
            foreach (var key in (string[])[SecuredServer.Key, fromOption, Wrong])
            {
                foreach (var reply in (Reply[])[await server.CompleteWithAsync(key), await server.CompleteWithAsync(key, "{"),
                    await server.SendAsync(HttpMethod.Get, "/x", key)])
                    answers.Add(reply.Body + string.Join('\n', reply.Headers));
                try
                {
                    await server.Inference.GenerateAsync(new GenerateRequest(), SecuredServer.Credentials(key), cancellationToken: Stop);
                }
                catch (RpcException fault)
                {
                    answers.Add(fault.ToString());
                }
            }
        }
        Assert.NotEmpty(logs.Lines);
        Assert.NotEmpty(traced);
        string[] secrets = [SecuredServer.Key, fromOption, Wrong, SecuredServer.Hash["sha256$".Length..]];
        foreach (var text in logs.Lines.Concat(traced).Concat(answers).Append(options.ToString()))
            foreach (var secret in secrets) Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_open_server_that_others_can_reach_warns()
    {
        var logs = new LogCollector();
        await using (await SecuredServer.StartAsync(new ServerOptions { Endpoint = new() { Host = "0.0.0.0" } }, logs: logs))
            Assert.Contains(logs.Lines, line => line.Contains("Anybody who reaches 0.0.0.0 may use this server", StringComparison.Ordinal));
        logs.Lines.Clear();
        await using (
            await SecuredServer.StartAsync(SecuredServer.WithKeys(_folder) with { Endpoint = new() { Host = "0.0.0.0" } }, logs: logs)) { }
        await using (await SecuredServer.StartAsync(new ServerOptions(), logs: logs)) { }
        Assert.DoesNotContain(logs.Lines, line => line.Contains("Anybody", StringComparison.Ordinal));
    }
}
