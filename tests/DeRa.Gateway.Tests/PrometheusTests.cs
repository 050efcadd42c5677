using DeRa.Gateway.Tests.Fixtures;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests;

/// <summary>A real Prometheus scrapes a gateway and its replicas.</summary>
public class PrometheusTests
{
    [Fact]
    public async Task Prometheus_scrapes_the_gateway_and_its_replicas()
    {
        await using var first = await TestReplica.StartAsync();
        await using var second = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(first.Address, second.Address);
        const int requests = 6;
        for (var i = 0; i < requests; i++) await gateway.CompleteAsync($$"""{"prompt":"{{i}}","max_tokens":3}""");
        await using var prometheus = await PrometheusProcess.StartAsync($$"""
            scrape_configs:
              - job_name: dera
                static_configs: [{targets: ["{{Target(first.Name)}}", "{{Target(second.Name)}}"]}]
              - job_name: dera-gateway
                static_configs: [{targets: ["127.0.0.1:{{gateway.Http.BaseAddress!.Port}}"]}]
            """);
        // No value until both are there: the first scrapes come one after the other.
        Assert.Equal("2", await prometheus.QueryAsync("""count(up{job="dera"} == 1) == 2"""));
        Assert.Equal($"{requests}", await prometheus.QueryAsync("""sum(dera_gateway_requests_total{outcome="ok"})"""));
        Assert.Equal("2", await prometheus.QueryAsync("""sum(dera_gateway_replicas{state="available"})"""));
        Assert.Equal($"{requests}", await prometheus.QueryAsync("sum(dera_gateway_time_to_first_byte_seconds_count)"));
    }

    [Fact]
    public async Task Prometheus_own_tool_finds_nothing_wrong_with_the_gateways_metrics()
    {
        await using var replica = await TestReplica.StartAsync();
        await using var gateway = await GatewayFixture.StartAsync(replica.Address);
        await gateway.CompleteAsync("""{"prompt":"a","max_tokens":3}""");
        Assert.Empty(await PrometheusProcess.CheckAsync(await gateway.Http.GetStringAsync("/metrics", ServerFixture.Stop)));
    }

    private static string Target(string replica) => new Uri(replica).Authority;
}
