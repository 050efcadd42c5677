using System.Net;
using System.Net.Sockets;
using System.Text;
using DeRa.Gateway.Options;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Protos.V1;
using DeRa.Testing;
using DeRa.Testing.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

/// <summary>Whatever a client sends, the replicas stay there for the others.</summary>
public class RequestFaultTests
{
    [Theory]
    [InlineData("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443", 501)]
    [InlineData("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: SPDY/3\r\nContent-Type: application/grpc", 200)]
    [InlineData("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Name: Zo\u00eb", 200)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: localhost", 405)]
    [InlineData("FETCH /v1/models HTTP/1.1\r\nHost: localhost", 405)]
    [InlineData("GET //v1//models?%zz HTTP/1.1\r\nHost: localhost", 404)]
    public async Task Odd_requests_eject_nobody(string head, int status)
    {
        await using var replica = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(EjectedForLong(replica.Address));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Http.BaseAddress!.Port, ServerFixture.Stop);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head + "\r\n\r\n"), ServerFixture.Stop);
        using var reader = new StreamReader(stream);
        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(ServerFixture.Stop), StringComparison.Ordinal);
        Assert.True(gateway.Replicas.All[0].IsAvailable);
    }

    [Fact]
    public async Task Metadata_that_no_replica_takes_is_the_calls_own_fault()
    {
        await using var replica = await TestReplica.StartAsync();
        var options = EjectedForLong(replica.Address);
        await using var gateway = await GatewayFixture.StartAsync(options with { Connection = new() { MaxHeaderBytes = 64 << 10 } });
        // From then on the connection knows what the replica takes.
        await gateway.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: ServerFixture.Stop);
        var metadata = new Metadata();
        for (var i = 0; i < 40; i++) metadata.Add($"x-{i}", new string('a', 1000));
        var large = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Inference.ListModelsAsync(new ListModelsRequest(), metadata, cancellationToken: ServerFixture.Stop));
        Assert.StartsWith("The request cannot be passed on to a replica: ", large.Status.Detail, StringComparison.Ordinal);
        Assert.True(gateway.Replicas.All[0].IsAvailable);
    }

    [Fact]
    public async Task A_call_that_finds_no_room_for_more_of_itself_is_refused()
    {
        await using var health = await StubReplica.StartAsync();
        await using var stub = await StubReplica.StartAsync(HttpProtocols.Http2);
        var options = EjectedForLong($"{health.Name}+{new Uri(stub.Name).Port}");
        options = options with { Forwarding = options.Forwarding with { MaxBodyBytes = 4096, MaxPendingBodyBytes = 6000 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        using var first = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
        using var second = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
        foreach (var call in (AsyncDuplexStreamingCall<ConverseRequest, ConverseResponse>[])[first, second])
        {
            var before = gateway.Bodies.Kept;
            await call.RequestStream.WriteAsync(Start(2500), ServerFixture.Stop);
            await ServerFixture.EventuallyAsync(() => gateway.Bodies.Kept > before + 2500);
        }
        await second.RequestStream.WriteAsync(Start(1200), ServerFixture.Stop);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await second.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.Equal((StatusCode.Unavailable, "Too many requests wait for their responses to begin."),
            (refused.StatusCode, refused.Status.Detail));
        Assert.True(gateway.Replicas.All[0].IsAvailable);
    }

    [Fact]
    public async Task A_call_that_runs_needs_no_room()
    {
        var executor = Scripts.Endless();
        await using var replica = await TestReplica.StartAsync(executor);
        var options = EjectedForLong(replica.Address);
        options = options with { Forwarding = options.Forwarding with { MaxBodyBytes = 4096, MaxPendingBodyBytes = 4096 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        using var call = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
        await call.RequestStream.WriteAsync(Start(1), ServerFixture.Stop);
        Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        var full = gateway.CompleteAsync("""{"prompt":"a","max_tokens":100000}""".PadRight(4096));
        await ServerFixture.EventuallyAsync(() => gateway.Bodies.Kept == 4096);
        await call.RequestStream.WriteAsync(new() { Change = new() { AlignmentStrength = 2 } }, ServerFixture.Stop);
        while (call.ResponseStream.Current.Changed is null) Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        executor.Script = _ => ByteTokenizer.Eos;
        Assert.Equal(200, (await full).Status);
    }

    private static ConverseRequest Start(int promptBytes) => new()
    {
        Start = new() { Prompt = new() { Text = new string('a', promptBytes) }, Options = new() { MaxTokens = 100_000 } },
    };

    /// <summary>What is ejected stays so, and no look at it makes it ready again.</summary>
    private static GatewayOptions EjectedForLong(string replica)
    {
        var options = GatewayFixture.Options(replica);
        return options with { Health = options.Health with { HealthSeconds = 3600, EjectSeconds = 3600 } };
    }
}
