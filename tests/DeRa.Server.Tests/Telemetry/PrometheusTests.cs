using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

/// <summary>A real Prometheus scrapes the server and answers queries.</summary>
[Collection(nameof(MetricsTests))]
public class PrometheusTests
{
    [Fact]
    public async Task Prometheus_scrapes_the_server_and_answers_queries()
    {
        const string model = "scraped";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), model: model);
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"ignore_eos":true}""");
        await using var prometheus = await PrometheusProcess.StartAsync($$"""
            scrape_configs:
              - job_name: dera
                static_configs: [{targets: ["127.0.0.1:{{server.Http.BaseAddress!.Port}}"]}]
            """);
        Assert.Equal("5", await prometheus.QueryAsync($$"""vllm:generation_tokens_total{model_name="{{model}}"}"""));
        Assert.Equal("0", await prometheus.QueryAsync($$"""sum(vllm:num_requests_waiting{model_name="{{model}}",engine="0"})"""));
        Assert.Equal("1",
            await prometheus.QueryAsync($$"""sum(gen_ai_server_request_duration_seconds_count{gen_ai_response_model="{{model}}"})"""));
        var quantile = await prometheus.QueryAsync(
            $$"""histogram_quantile(0.5, sum by (le) (vllm:time_to_first_token_seconds_bucket{model_name="{{model}}"}))""");
        Assert.True(double.Parse(quantile, null) > 0);
        foreach (var query in DashboardTests.Queries())
            Assert.Equal("success", await prometheus.StatusAsync(query.Replace("$model", model, StringComparison.Ordinal)
                .Replace("$__rate_interval", "1m", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Prometheus_own_tool_finds_nothing_wrong_but_the_colons_that_routers_read()
    {
        await using var server = await ServerFixture.StartAsync(
            new ScriptedExecutor { MixAndSampleTime = TimeSpan.FromMilliseconds(1), ReferenceDivergence = 0.1 }, model: "checked");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"lambda":0.5}""");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":0}""");
        var complaints = await PrometheusProcess.CheckAsync((await server.GetAsync("/metrics")).Body);
        Assert.NotEmpty(complaints);
        Assert.All(complaints, line => Assert.Matches(@"^vllm:\S+ metric names should not contain ':'$", line));
    }
}
