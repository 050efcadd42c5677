using DeRa.Gateway.Options;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

/// <summary>Replicas that fall silent. The gateway's clock goes on only where a test says so.</summary>
public class IdleTests
{
    private const string Prompt = """{"prompt":"a"}""";
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(new ForwardingOptions().IdleSeconds);
    private static readonly GenerateStreamResponse Piece = new() { Delta = new() { Text = "a" } };

    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_replica_that_never_responds_is_given_up_with_504()
    {
        await using var stub = await StubReplica.StartAsync();
        await using var other = await StubReplica.StartAsync();
        stub.Respond = other.Respond = HangAsync;
        await using var gateway = await StartAsync(stub.Name, other.Name);
        var response = gateway.CompleteAsync(Prompt);
        await ServerFixture.EventuallyAsync(() => stub.Requests.Count + other.Requests.Count == 1);
        _time.Advance(Most);
        var late = await response;
        Assert.Equal((504, "timeout_error", "Nothing came from the replica for 3600 s (--idle-seconds)."),
            (late.Status, late.Type, late.Error.GetProperty("message").GetString()));
        // Its request was cancelled, and no other replica got it: what took so long there would take as long again.
        await _left.Task.WaitAsync(ServerFixture.Stop);
        Assert.Equal(1, stub.Requests.Count + other.Requests.Count);
        var (silent, idle) = stub.Requests.IsEmpty ? (other, stub) : (stub, other);
        Assert.Equal((1, 0), (await TimeoutsAsync(gateway, silent), await TimeoutsAsync(gateway, idle)));
        Assert.All(gateway.Replicas.All, replica => Assert.Equal((0, true), (replica.InFlight, replica.IsAvailable)));
    }

    [Fact]
    public async Task Over_gRPC_the_deadline_is_exceeded()
    {
        await using var health = await StubReplica.StartAsync();
        await using var stub = await StubReplica.StartAsync(HttpProtocols.Http2);
        stub.Respond = HangAsync;
        await using var gateway = await StartAsync(Address(health, stub));
        var call = gateway.Inference.GenerateAsync(new() { Prompt = new() { Text = "a" } }, cancellationToken: ServerFixture.Stop);
        await ServerFixture.EventuallyAsync(() => !stub.Requests.IsEmpty);
        _time.Advance(Most);
        var late = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal((StatusCode.DeadlineExceeded, "Nothing came from the replica for 3600 s (--idle-seconds)."),
            (late.StatusCode, late.Status.Detail));
        await _left.Task.WaitAsync(ServerFixture.Stop);
        Assert.Equal(1, await TimeoutsAsync(gateway, health));
    }

    [Fact]
    public async Task A_stream_that_falls_silent_ends_with_an_error_event_and_one_that_goes_on_does_not()
    {
        await using var stub = await StubReplica.StartAsync();
        using var more = new SemaphoreSlim(0);
        stub.Respond = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync("data: 1\n\n", context.RequestAborted);
                await WaitAsync(more, context);
            }
        };
        await using var gateway = await StartAsync(stub.Name);
        using var response = await gateway.BeginAsync("/v1/completions", Prompt);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("data: 1", await reader.ReadLineAsync(ServerFixture.Stop));
            Assert.Equal("", await reader.ReadLineAsync(ServerFixture.Stop));
            // Longer than it may be silent, in all.
            _time.Advance(Most * .75);
            more.Release();
        }
        Assert.Equal("data: 1", await reader.ReadLineAsync(ServerFixture.Stop));
        _time.Advance(Most);
        Assert.Equal("\n\n\ndata: {\"error\":{\"message\":\"Nothing came from the replica for 3600 s (--idle-seconds).\","
            + "\"type\":\"timeout_error\",\"param\":null,\"code\":null}}\n\n", await reader.ReadToEndAsync(ServerFixture.Stop));
        await _left.Task.WaitAsync(ServerFixture.Stop);
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].InFlight == 0);
        Assert.Equal(1, await TimeoutsAsync(gateway, stub));
    }

    [Fact]
    public async Task A_response_in_one_piece_that_falls_silent_breaks_off()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.Respond = async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("{", context.RequestAborted);
            await HangAsync(context);
        };
        await using var gateway = await StartAsync(stub.Name);
        using var response = await gateway.BeginAsync("/v1/completions", Prompt);
        await using var body = await response.Content.ReadAsStreamAsync(ServerFixture.Stop);
        await body.ReadExactlyAsync(new byte[1], ServerFixture.Stop);
        _time.Advance(Most);
        await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadExactlyAsync(new byte[1], ServerFixture.Stop));
        await _left.Task.WaitAsync(ServerFixture.Stop);
    }

    [Fact]
    public async Task A_stream_over_gRPC_that_falls_silent_ends_with_that_status()
    {
        await using var health = await StubReplica.StartAsync();
        await using var stub = await StubReplica.StartAsync(HttpProtocols.Http2);
        stub.Respond = async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(GrpcFrame.Of(Piece.ToByteArray()), context.RequestAborted);
            await HangAsync(context);
        };
        await using var gateway = await StartAsync(Address(health, stub));
        using var call = gateway.Inference.GenerateStream(new() { Prompt = new() { Text = "a" } }, cancellationToken: ServerFixture.Stop);
        Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.Equal("a", call.ResponseStream.Current.Delta.Text);
        _time.Advance(Most);
        var late = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.Equal((StatusCode.DeadlineExceeded, "Nothing came from the replica for 3600 s (--idle-seconds)."),
            (late.StatusCode, late.Status.Detail));
        await _left.Task.WaitAsync(ServerFixture.Stop);
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].InFlight == 0);
        Assert.Equal(1, await TimeoutsAsync(gateway, health));
    }

    [Fact]
    public async Task What_a_client_sends_keeps_its_call_alive()
    {
        await using var health = await StubReplica.StartAsync();
        await using var stub = await StubReplica.StartAsync(HttpProtocols.Http2);
        stub.Respond = context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            return Task.CompletedTask;
        };
        await using var gateway = await StartAsync(Address(health, stub));
        using var call = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
        for (var i = 0; i < 4; i++)
        {
            var before = gateway.Bodies.Kept;
            await call.RequestStream.WriteAsync(new() { Stop = new() }, ServerFixture.Stop);
            await ServerFixture.EventuallyAsync(() => gateway.Bodies.Kept > before && gateway.Replicas.All[0].InFlight == 1);
            _time.Advance(Most * .75);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private Task<GatewayFixture> StartAsync(params string[] replicas) =>
        GatewayFixture.StartAsync(GatewayFixture.Options(replicas), time: _time);

    private static Task<double> TimeoutsAsync(GatewayFixture gateway, StubReplica stub) =>
        gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"timeout\",replica=\"{stub.Name}\"}}");

    /// <summary>Health over HTTP/1.1 at one, calls at the other.</summary>
    private static string Address(StubReplica health, StubReplica calls) => $"{health.Name}+{new Uri(calls.Name).Port}";

    /// <summary>Does nothing until the gateway leaves.</summary>
    private Task HangAsync(HttpContext context) => WaitAsync(new SemaphoreSlim(0), context);

    private async Task WaitAsync(SemaphoreSlim more, HttpContext context)
    {
        try
        {
            await more.WaitAsync(context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            _left.SetResult();
        }
    }
}
