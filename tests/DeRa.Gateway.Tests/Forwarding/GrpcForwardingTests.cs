using DeRa.Gateway.Tests.Fixtures;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

public class GrpcForwardingTests
{
    [Fact]
    public async Task Unary_calls_streams_and_errors_come_through()
    {
        await using var replica = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        var request = new GenerateRequest { Prompt = new Prompt { Text = "Once" }, Options = new() { Seed = 1, MaxTokens = 12 } };
        var direct = await replica.Server.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop);
        Assert.Equal(direct, await gateway.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop));

        using var stream = gateway.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = request.Prompt, Options = request.Options }, cancellationToken: ServerFixture.Stop);
        var events = await stream.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
        Assert.Equal(direct.Choices[0].Text, string.Concat(events.Select(one => one.Delta?.Text)));

        request.Options.Temperature = 99;
        var bad = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop));
        Assert.Equal(StatusCode.InvalidArgument, bad.StatusCode);
        Assert.NotNull(bad.Trailers.GetValueBytes("grpc-status-details-bin"));
    }

    [Fact]
    public async Task A_conversation_changes_its_strength_while_it_runs()
    {
        await using var replica = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        using var call = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
        await call.RequestStream.WriteAsync(new ConverseRequest
        {
            Start = new ConverseStart { Prompt = new Prompt { Text = "Once" }, Options = new() { MaxTokens = 100_000 } },
        }, ServerFixture.Stop);
        Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.NotNull(call.ResponseStream.Current.Started);
        await call.RequestStream.WriteAsync(
            new ConverseRequest { Change = new StrengthChange { AlignmentStrength = 2 } }, ServerFixture.Stop);
        while (call.ResponseStream.Current.Changed is null) Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        await call.RequestStream.WriteAsync(new ConverseRequest { Stop = new ConverseStop() }, ServerFixture.Stop);
        while (call.ResponseStream.Current.Finished is null) Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        Assert.Equal(FinishReason.Cancelled, call.ResponseStream.Current.Finished.FinishReason);
        Assert.Equal(0, gateway.Bodies.Kept);
    }

    [Fact]
    public async Task A_conversation_that_ends_before_its_client_has_said_all_leaves_the_calls_after_it_alone()
    {
        await using var replica = await TestReplica.StartAsync(Scripts.Saying("hello"));
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        var prompt = new Prompt { Text = "Once" };
        for (var i = 0; i < 100; i++)
        {
            using var call = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
            await call.RequestStream.WriteAsync(new ConverseRequest { Start = new ConverseStart { Prompt = prompt } }, ServerFixture.Stop);
            var events = await call.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
            Assert.Equal("hello", string.Concat(events.Select(one => one.Delta?.Text)));
            var next = await gateway.Inference.GenerateAsync(
                new GenerateRequest { Prompt = prompt }, cancellationToken: ServerFixture.Stop);
            Assert.Equal("hello", next.Choices[0].Text);
        }
    }

    [Fact]
    public async Task A_call_whose_response_ends_before_the_client_does_has_not_failed()
    {
        await using var replica = await TestReplica.StartAsync();
        var options = GatewayFixture.Options(replica.Address);
        await using var gateway = await GatewayFixture.StartAsync(
            options with { Health = options.Health with { HealthSeconds = 3600, EjectAfter = 1, EjectSeconds = 3600 } });
        // Many on one connection: none may leave anything behind in it.
        const int calls = 16;
        for (var i = 0; i < calls; i++)
        {
            using var call = gateway.Inference.Converse(cancellationToken: ServerFixture.Stop);
            await call.RequestStream.WriteAsync(new ConverseRequest
            {
                Start = new ConverseStart { Prompt = new Prompt { Text = "Once" }, Options = new() { Temperature = i % 2 == 0 ? 99 : 1 } },
            }, ServerFixture.Stop);
            var events = call.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
            if (i % 2 == 1) Assert.NotNull((await events)[^1].Finished);
            else Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await events)).StatusCode);
            await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].InFlight == 0);
            Assert.True(gateway.Replicas.All[0].IsAvailable);
        }
        Assert.Equal(calls, await gateway.MetricAsync($"dera_gateway_requests_total{{outcome=\"ok\",replica=\"{replica.Name}\"}}"));
    }

    [Fact]
    public async Task What_is_unavailable_at_one_replica_another_one_does()
    {
        await using var health = await StubReplica.StartAsync();
        await using var stopping = await StubReplica.StartAsync(HttpProtocols.Http2);
        await using var other = await TestReplica.StartAsync();
        stopping.Respond = context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = "14";
            return Task.CompletedTask;
        };
        await using var gateway = await GatewayFixture.StartAsync(
            GatewayFixture.Options($"{health.Name}+{new Uri(stopping.Name).Port}", other.Address));
        for (var i = 0; i < 8; i++)
        {
            var response = await gateway.Inference.GenerateAsync(
                new GenerateRequest { Prompt = new Prompt { Text = $"{i}" }, Options = new() { MaxTokens = 1 } },
                cancellationToken: ServerFixture.Stop);
            Assert.Equal("pair", response.Model);
        }
        Assert.NotEmpty(stopping.Requests);
        Assert.Equal(stopping.Requests.Count,
            await gateway.MetricAsync($"dera_gateway_retries_total{{reason=\"UNAVAILABLE\",replica=\"{health.Name}\"}}"));
    }

    [Fact]
    public async Task A_replica_that_dies_before_its_response_is_replaced_and_one_that_dies_after_fails_the_call()
    {
        await using var one = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayFixture.StartAsync(one.Address);
        using var call = gateway.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = new Prompt { Text = "a" }, Options = new() { MaxTokens = 100_000 } },
            cancellationToken: ServerFixture.Stop);
        Assert.True(await call.ResponseStream.MoveNext(ServerFixture.Stop));
        one.Kill();
        var broken = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(ServerFixture.Stop)) Assert.NotNull(call.ResponseStream.Current);
        });
        Assert.Equal((StatusCode.Unavailable, "The replica broke off its response."), (broken.StatusCode, broken.Status.Detail));
        var nobody = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: ServerFixture.Stop));
        Assert.Equal(StatusCode.Unavailable, nobody.StatusCode);
    }

    [Fact]
    public async Task Without_a_ready_replica_calls_are_refused_and_told_when_to_come_back()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.ReadyStatus = 503;
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options($"{stub.Name}+1"), isReady: false);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: ServerFixture.Stop));
        var details = refused.GetRpcStatus()!;
        Assert.Equal((refused.StatusCode, refused.Status.Detail), ((StatusCode)details.Code, details.Message));
        Assert.Equal(TimeSpan.FromSeconds(5), details.GetDetail<RetryInfo>().RetryDelay.ToTimeSpan());
    }

    [Fact]
    public async Task A_replica_without_a_port_for_it_gets_no_calls()
    {
        await using var without = await StubReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(without.Name);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await gateway.Inference.ListModelsAsync(new ListModelsRequest(), cancellationToken: ServerFixture.Stop));
        Assert.Equal((StatusCode.Unavailable, "No replica that serves gRPC is ready."), (refused.StatusCode, refused.Status.Detail));
    }
}
