using System.Text.Json;
using DeRa.Gateway.Tests.Fixtures;
using DeRa.Protos.V1;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests.Forwarding;

public class RoutingTests
{
    [Fact]
    public async Task Requests_that_begin_alike_find_their_prefix_over_HTTP_and_gRPC_whatever_their_strength()
    {
        var replicas = new List<TestReplica>();
        for (var i = 0; i < 3; i++) replicas.Add(await TestReplica.StartAsync());
        await using var gateway = await GatewayFixture.StartAsync([.. replicas.Select(replica => replica.Address)]);
        var prompt = string.Concat(Enumerable.Repeat("Once upon a time ", 8));
        foreach (var strength in (string[])["0", "0.5", "2"])
            await gateway.CompleteAsync($$"""{"prompt":"{{prompt}}","max_tokens":1,"alignment_strength":{{strength}}}""");
        var named = await gateway.CompleteAsync($$"""{"prompt":"{{prompt}}","max_tokens":1}""");
        var call = await gateway.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = prompt }, Options = new() { MaxTokens = 1, AlignmentStrength = 3 } },
            cancellationToken: ServerFixture.Stop);
        Assert.Single(replicas, replica => replica.Server.Executor.TokensRun.Sum() > 0);
        Assert.True(call.Usage.CachedTokens > 100);
        Assert.Equal(200, named.Status);
        Assert.True(await gateway.MetricAsync("dera_gateway_affinity_total{hit=\"true\"}") >= 5);
        foreach (var replica in replicas) await replica.DisposeAsync();
    }

    [Fact]
    public async Task A_running_generation_is_changed_where_it_runs_through_this_gateway_or_another()
    {
        await using var one = await TestReplica.StartAsync(Scripts.Endless());
        await using var two = await TestReplica.StartAsync(Scripts.Endless());
        await using var three = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayFixture.StartAsync(one.Address, two.Address, three.Address);
        await using var other = await GatewayFixture.StartAsync(three.Address, two.Address, one.Address);
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.BeginAsync(
                "/v1/completions", $$"""{"prompt":"{{i}}","stream":true,"max_tokens":100000,"alignment_strength":1}""");
            var id = Assert.Single(response.Headers.GetValues("x-generation-id"));
            Assert.NotNull(gateway.Routes.Find(id));
            Assert.Null(other.Routes.Find(id));
            Assert.Equal(200, (await gateway.PostAsync($"/v1/realignment/generations/{id}", """{"alignment_strength":2}""")).Status);
            Assert.Equal(200, (await other.PostAsync($"/v1/realignment/generations/{id}", """{"alignment_strength":0}""")).Status);
            Assert.Equal(404, (await other.PostAsync("/v1/realignment/generations/none", """{"alignment_strength":0}""")).Status);
            Assert.Equal(200, (await other.PostAsync($"/v1/realignment/generations/{id}", """{"stop":true}""")).Status);
            var text = await response.Content.ReadAsStringAsync(ServerFixture.Stop);
            Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        }
        await ServerFixture.EventuallyAsync(() => gateway.Routes.Count == 0);
        Assert.Equal(404, (await gateway.PostAsync("/v1/realignment/generations/none", """{"stop":true}""")).Status);
    }

    [Fact]
    public async Task Without_a_ready_replica_requests_are_refused_and_told_when_to_come_back()
    {
        await using var stub = await StubReplica.StartAsync();
        stub.ReadyStatus = 503;
        await using var gateway = await GatewayFixture.StartAsync(GatewayFixture.Options(stub.Name), isReady: false);
        var refused = await gateway.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal((503, "overloaded_error", "5"), (refused.Status, refused.Type, refused.Headers["Retry-After"]));
        Assert.Empty(stub.Requests);
        using var ready = await gateway.Http.GetAsync("/readyz", ServerFixture.Stop);
        Assert.Equal(503, (int)ready.StatusCode);
        using var live = await gateway.Http.GetAsync("/livez", ServerFixture.Stop);
        Assert.Equal(200, (int)live.StatusCode);
        stub.ReadyStatus = 200;
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].IsReady);
        Assert.Equal("""{"status":"ready","replicas":{"NAME":"ready"}}""".Replace("NAME", stub.Name, StringComparison.Ordinal),
            await gateway.Http.GetStringAsync("/readyz", ServerFixture.Stop));
    }

    [Fact]
    public async Task A_replica_that_drains_gets_nothing_new_and_finishes_what_it_has()
    {
        var executor = Scripts.Endless();
        await using var draining = await TestReplica.StartAsync(executor);
        await using var other = await TestReplica.StartAsync(Scripts.Endless());
        await using var gateway = await GatewayFixture.StartAsync(draining.Address, other.Address);
        using var response = await StreamAt(gateway, draining);
        var id = Assert.Single(response.Headers.GetValues("x-generation-id"));
        var drained = draining.DrainAsync();
        await ServerFixture.EventuallyAsync(() => !gateway.Replica(draining.Name).IsReady);
        Assert.Equal("draining", gateway.Replica(draining.Name).Reason);
        for (var i = 0; i < 8; i++) Assert.Equal(200, (await gateway.CompleteAsync($$"""{"prompt":"{{i}}","max_tokens":1}""")).Status);
        Assert.Equal(1, draining.Engine.Status.RunningSequences);
        executor.Script = _ => Testing.ByteTokenizer.Eos;
        Assert.EndsWith("[DONE]\n\n", await response.Content.ReadAsStringAsync(ServerFixture.Stop), StringComparison.Ordinal);
        Assert.Null(gateway.Routes.Find(id));
        await drained;
    }

    [Fact]
    public async Task The_gateway_itself_drains()
    {
        var executor = Scripts.Endless();
        await using var replica = await TestReplica.StartAsync(executor);
        var options = GatewayFixture.Options(replica.Address);
        options = options with { Forwarding = options.Forwarding with { DrainSeconds = 60 } };
        await using var gateway = await GatewayFixture.StartAsync(options);
        using var response = await gateway.BeginAsync("/v1/completions", """{"prompt":"a","stream":true,"max_tokens":100000}""");
        var stopped = gateway.StopAsync();
        await ServerFixture.EventuallyAsync(() => gateway.Replicas.All[0].InFlight == 1 && IsDraining(gateway));
        var refused = await gateway.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal((503, "The gateway is shutting down."), (refused.Status, refused.Error.GetProperty("message").GetString()));
        executor.Script = _ => Testing.ByteTokenizer.Eos;
        Assert.EndsWith("[DONE]\n\n", await response.Content.ReadAsStringAsync(ServerFixture.Stop), StringComparison.Ordinal);
        await stopped;
    }

    private static bool IsDraining(GatewayFixture gateway)
    {
        using var ready = gateway.Http.GetAsync("/readyz", ServerFixture.Stop).GetAwaiter().GetResult();
        using var body = JsonDocument.Parse(ready.Content.ReadAsStringAsync(ServerFixture.Stop).GetAwaiter().GetResult());
        return body.RootElement.GetProperty("status").GetString() == "draining";
    }

    /// <summary>Streams of prompts until one runs there; the others are left.</summary>
    private static async Task<HttpResponseMessage> StreamAt(GatewayFixture gateway, TestReplica replica)
    {
        for (var i = 0; ; i++)
        {
            var response = await gateway.BeginAsync("/v1/completions", $$"""{"prompt":"p{{i}}","stream":true,"max_tokens":100000}""");
            if (gateway.Routes.Find(response.Headers.GetValues("x-generation-id").Single())?.Name == replica.Name) return response;
            response.Dispose();
        }
    }
}
