using DeRa.Gateway.Balancing;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Google.Rpc;
using Grpc.Core;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

public class GrpcRefusalTests
{
    private static readonly GenerateRequest s_request = new() { Prompt = new() { Text = "a" }, Options = new() { MaxTokens = 1 } };

    [Fact]
    public async Task A_full_queue_is_passed_by_and_where_all_are_full_the_call_is_told_when_to_come_back()
    {
        var executor = Scripts.Saying("a");
        using var hold = new SemaphoreSlim(0);
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var full = await TestReplica.StartAsync(executor, new() { MaxRunning = 1, MaxQueued = 1 });
        await using var free = await TestReplica.StartAsync();
        await using var alone = await GatewayFixture.StartAsync(full.Address);
        var running = GenerateAsync(alone);
        await ServerFixture.EventuallyAsync(() => full.Engine.Status is { RunningSequences: 1, QueuedSequences: 0 });
        var queued = GenerateAsync(alone);
        await ServerFixture.EventuallyAsync(() => full.Engine.Status.QueuedSequences == 1);
        var refused = await Assert.ThrowsAsync<RpcException>(() => GenerateAsync(alone));
        Assert.Equal((StatusCode.ResourceExhausted, 1),
            (refused.StatusCode, refused.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds));
        Assert.Equal(503, (await alone.CompleteAsync("""{"prompt":"a"}""")).Status);

        var options = GatewayFixture.Options(full.Address, free.Address) with { Balancing = new() { Policy = PolicyName.RoundRobin } };
        await using var both = await GatewayFixture.StartAsync(options);
        // Each comes to the full one first every other time.
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("pair", (await GenerateAsync(both)).Model);
            using var stream = both.Inference.GenerateStream(
                new() { Prompt = s_request.Prompt, Options = s_request.Options }, cancellationToken: ServerFixture.Stop);
            Assert.True(await stream.ResponseStream.MoveNext(ServerFixture.Stop));
            Assert.Equal(200, (await both.CompleteAsync("""{"prompt":"a","max_tokens":1}""")).Status);
        }
        Assert.True(await both.MetricAsync($"dera_gateway_retries_total{{reason=\"QUEUE_FULL\",replica=\"{full.Name}\"}}") > 0);
        Assert.All(both.Replicas.All, replica => Assert.True(replica.IsAvailable));
        hold.Release(1000);
        Assert.Equal(["pair", "pair"], (await Task.WhenAll(running, queued)).Select(response => response.Model));
    }

    [Fact]
    public async Task A_keys_limits_are_the_same_everywhere_and_a_call_that_goes_beyond_them_is_not_tried_again()
    {
        var limited = new ApiKeyOptions { MaxRequestsPerMinute = 1 };
        await using var one = await TestReplica.StartAsync(keys: limited);
        await using var other = await TestReplica.StartAsync(keys: limited);
        await using var gateway = await GatewayFixture.StartAsync(one.Address, other.Address);
        var outcomes = new List<string>();
        // They have the same key, and so go to the same replica.
        for (var i = 0; i < 3; i++)
        {
            try
            {
                outcomes.Add((await GenerateAsync(gateway)).Model);
            }
            catch (RpcException refused)
            {
                outcomes.Add(refused.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
            }
        }
        Assert.Equal(["pair", "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"], outcomes);
        var over = await gateway.CompleteAsync("""{"prompt":"a","max_tokens":1}""");
        Assert.Equal((429, "rate_limit_exceeded"), (over.Status, over.Code));
        Assert.True(int.Parse(over.Headers["Retry-After"], null) > 0);
        Assert.Single([one, other], replica => replica.Server.Executor.TokensRun.Sum() > 0);
    }

    [Fact]
    public async Task A_refusal_of_the_gateways_own_has_the_details_of_a_replicas()
    {
        await using var health = await StubReplica.StartAsync();
        var options = GatewayFixture.Options($"{health.Name}+1") with { Key = new() { MaxRequestsPerMinute = 1 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        await Assert.ThrowsAsync<RpcException>(() => GenerateAsync(gateway));
        var limited = await Assert.ThrowsAsync<RpcException>(() => GenerateAsync(gateway));
        Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMIT_EXCEEDED"),
            (limited.StatusCode, limited.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
        Assert.True(limited.GetRpcStatus()!.GetDetail<RetryInfo>()!.RetryDelay.Seconds > 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%%%")]
    [InlineData("AAAA")]
    [InlineData("CAg=")]
    public void Details_that_cannot_be_read_give_no_reason(string header) => Assert.Null(StatusDetails.ReasonIn(header));

    [Fact]
    public void Details_are_read_with_and_without_their_padding()
    {
        var header = Convert.ToBase64String(StatusDetails.Write(GatewayError.BrokenOff));
        Assert.EndsWith("=", header, StringComparison.Ordinal);
        Assert.Equal("REPLICA_FAILED", StatusDetails.ReasonIn(header));
        Assert.Equal("REPLICA_FAILED", StatusDetails.ReasonIn(header.TrimEnd('=')));
    }

    private static Task<GenerateResponse> GenerateAsync(GatewayFixture gateway) =>
        gateway.Inference.GenerateAsync(s_request, cancellationToken: ServerFixture.Stop).ResponseAsync;
}
