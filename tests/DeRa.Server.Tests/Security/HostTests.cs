using DeRa.Protos.V1;
using DeRa.Server.Options;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Xunit;

namespace DeRa.Server.Tests.Security;

public class HostTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static async Task<Reply> AskAsync(ServerFixture server, string host, string path = "/v1/models")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
        return await server.SendAsync(request);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1234", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.0.0.1:80", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("evil.example.com", 421)]
    [InlineData("localhost.evil.example.com", 421)]
    [InlineData("evil.example.com:8080", 421)]
    [InlineData("127.0.0.1.nip.example", 421)]
    [InlineData("10.0.0.1", 421)]
    public async Task On_loopback_only_names_of_loopback_are_answered(string host, int status)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await AskAsync(server, host);
        Assert.Equal(status, reply.Status);
        if (status == 421) Assert.Equal(("invalid_request_error", true),
            (reply.Type, reply.Body.Contains("--allowed-hosts", StringComparison.Ordinal)));
        Assert.Equal(status == 200 ? 404 : 421, (await AskAsync(server, host, "/nowhere")).Status);
    }

    [Fact]
    public async Task What_orchestrators_probe_is_answered_under_any_name()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var path in (string[])["/livez", "/readyz", "/health"])
        {
            Assert.Equal(200, (await AskAsync(server, "10.1.2.3:8080", path)).Status);
            Assert.StartsWith("HTTP/1.1 200 ", await WithoutHostAsync(server, path), StringComparison.Ordinal);
        }
        Assert.StartsWith("HTTP/1.1 421 ", await WithoutHostAsync(server, "/metrics"), StringComparison.Ordinal);
        using var channel = Channel(server, "10.1.2.3");
        var health = new Health.HealthClient(channel);
        await health.CheckAsync(new HealthCheckRequest(), cancellationToken: Stop);
        using var watch = health.Watch(new HealthCheckRequest(), cancellationToken: Stop);
        Assert.True(await watch.ResponseStream.MoveNext(Stop));
    }

    /// <summary>Asks as some load balancers do: with HTTP/1.0, which knows no host name.</summary>
    private static async Task<string> WithoutHostAsync(ServerFixture server, string path)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, server.Http.BaseAddress!.Port, Stop);
        await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\n\r\n"), Stop);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync(Stop);
    }

    [Theory]
    [InlineData("127.0.0.1", "api.example.com", "api.example.com", 200)]
    [InlineData("127.0.0.1", "api.example.com", "localhost", 200)]
    [InlineData("127.0.0.1", "api.example.com", "other.example.com", 421)]
    [InlineData("127.0.0.1", "*.example.com", "other.example.com:80", 200)]
    [InlineData("127.0.0.1", "*.example.com", "example.com", 421)]
    [InlineData("127.0.0.1", "*", "anything", 200)]
    [InlineData("0.0.0.0", null, "anything", 200)]
    [InlineData("0.0.0.0", "api.example.com", "api.example.com", 200)]
    [InlineData("0.0.0.0", "api.example.com", "anything", 421)]
    public async Task Names_can_be_added_and_elsewhere_than_on_loopback_none_is_kept_out_unless_asked(string listen, string? allowed,
        string host, int status)
    {
        var options =
            new ServerOptions { Endpoint = new() { Host = listen }, Origin = new() { AllowedHosts = allowed is null ? [] : [allowed] } };
        await using var server = await SecuredServer.StartAsync(options, handler: () => new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync(System.Net.IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
        Assert.Equal(status, (await AskAsync(server, host)).Status);
    }

    [Theory]
    [InlineData("localhost", null)]
    [InlineData("evil.example.com", StatusCode.PermissionDenied)]
    public async Task The_authority_of_a_gRPC_call_counts_the_same(string host, StatusCode? expected)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        using var channel = Channel(server, host);
        var call = new InferenceService.InferenceServiceClient(channel).GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "a" } }, cancellationToken: Stop);
        if (expected is null) Assert.Equal("fine", (await call).Choices[0].Text);
        else Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
    }

    /// <summary>A channel whose calls name another host, as a page's would after its name was pointed to loopback.</summary>
    private static GrpcChannel Channel(ServerFixture server, string host)
    {
        var port = new Uri("http://" + server.Channel.Target).Port;
        return GrpcChannel.ForAddress($"http://{host}:{port}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) =>
                {
                    var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                    await socket.ConnectAsync(System.Net.IPAddress.Loopback, port, cancellation);
                    return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
                },
            },
            DisposeHttpClient = true,
        });
    }
}
