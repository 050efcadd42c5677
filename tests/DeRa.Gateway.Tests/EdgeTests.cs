using DeRa.Gateway.Tests.Fixtures;
using DeRa.Hosting.Options;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests;

/// <summary>What clients and operators see of the gateway itself.</summary>
public class EdgeTests
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Keys_and_rates_may_be_checked_at_the_edge()
    {
        await using var stub = await StubReplica.StartAsync();
        var options = GatewayFixture.Options(stub.Name) with { Key = new() { ApiKey = new Secret(Key), MaxRequestsPerMinute = 2 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        var refused = await gateway.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal((401, "authentication_error", "invalid_api_key"), (refused.Status, refused.Type, refused.Code));
        Assert.Empty(stub.Requests);
        gateway.Http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        Assert.Equal(200, (await gateway.PostToStubAsync("""{"prompt":"a"}""")).Status);
        Assert.Equal(200, (await gateway.PostToStubAsync("""{"prompt":"a"}""")).Status);
        var limited = await gateway.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal((429, "rate_limit_exceeded"), (limited.Status, limited.Code));
        Assert.Equal($"Bearer {Key}", stub.Requests.First().Headers["Authorization"]);
    }

    [Fact]
    public async Task A_replica_is_asked_for_its_load_with_the_gateways_own_key()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.Metrics = "vllm:num_requests_running{engine=\"0\"} 5\n";
        await using var gateway = await GatewayFixture.StartAsync(stub.Name);
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].ToCandidate().Load == 5);
        stub.Metrics = "vllm:num_requests_running{engine=\"0\"} 2\n";
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].ToCandidate().Load == 2);
    }

    [Fact]
    public async Task Each_request_is_a_line_with_its_replica_and_the_id_that_the_client_got()
    {
        var lines = new Lines();
        await using var replica = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(replica.Address), lines);
        var reply = await gateway.CompleteAsync("""{"prompt":"secret words","max_tokens":1}""");
        await ServerFixture.EventuallyAsync(() => lines.All.Any(line => line.Contains("/v1/completions", StringComparison.Ordinal)));
        var line = lines.All.Single(line => line.Contains("/v1/completions", StringComparison.Ordinal));
        Assert.Matches($"^POST /v1/completions 200 replica={replica.Name} attempts=1 first_ms=[0-9.]+ ms=[0-9.]+ "
            + $"id={reply.Headers["x-request-id"]}$", line);
        await gateway.PostAsync("/v1/realignment/generations/abcdef", """{"stop":true}""");
        await ServerFixture.EventuallyAsync(() => lines.All.Any(line => line.Contains("generations/{id} 404", StringComparison.Ordinal)));
        Assert.DoesNotContain(lines.All, line => line.Contains("abcdef", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.All, line => line.Contains("secret words", StringComparison.Ordinal));
    }
}
