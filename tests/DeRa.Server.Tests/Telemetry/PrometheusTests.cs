using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

/// <summary>A real Prometheus scrapes the server and answers queries.</summary>
[Collection(nameof(MetricsTests))]
public class PrometheusTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prometheus_scrapes_the_server_and_answers_queries()
    {
        var program = OnPath("prometheus");
        if (program is null) Assert.Skip("no program 'prometheus' is on the PATH; Debian's package of that name has it");
        const string model = "scraped";
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(), model: model);
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"ignore_eos":true}""");
        using var folder = new TemporaryFolder();
        var address = $"127.0.0.1:{FreePort()}";
        var config = Path.Combine(folder.Path, "prometheus.yml");
        await File.WriteAllTextAsync(config, $$"""
            scrape_configs:
              - job_name: dera
                scrape_interval: 1s
                scrape_timeout: 1s
                static_configs: [{targets: ["127.0.0.1:{{server.Http.BaseAddress!.Port}}"]}]
            """, Stop);
        using var prometheus = Process.Start(new ProcessStartInfo(program,
            [$"--config.file={config}", $"--storage.tsdb.path={folder.Path}/data", $"--web.listen-address={address}",
                "--log.level=error"]))!;
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://{address}") };
            Assert.Equal("5", await QueryAsync(http, prometheus, $$"""vllm:generation_tokens_total{model_name="{{model}}"}"""));
            Assert.Equal("0",
                await QueryAsync(http, prometheus, $$"""sum(vllm:num_requests_waiting{model_name="{{model}}",engine="0"})"""));
            Assert.Equal("1",
                await QueryAsync(http, prometheus,
                $$"""sum(gen_ai_server_request_duration_seconds_count{gen_ai_response_model="{{model}}"})"""));
            var quantile = await QueryAsync(http, prometheus,
                $$"""histogram_quantile(0.5, sum by (le) (vllm:time_to_first_token_seconds_bucket{model_name="{{model}}"}))""");
            Assert.True(double.Parse(quantile, null) > 0);
            foreach (var query in DashboardTests.Queries())
                Assert.Equal("success", await StatusAsync(http, query.Replace("$model", model, StringComparison.Ordinal)
                    .Replace("$__rate_interval", "1m", StringComparison.Ordinal)));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Prometheus_own_tool_finds_nothing_wrong_but_the_colons_that_routers_read()
    {
        var program = OnPath("promtool");
        if (program is null) Assert.Skip("no program 'promtool' is on the PATH; Debian's package 'prometheus' has it");
        await using var server = await ServerFixture.StartAsync(
            new ScriptedExecutor { MixAndSampleTime = TimeSpan.FromMilliseconds(1), ReferenceDivergence = 0.1 }, model: "checked");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":5,"lambda":0.5}""");
        await server.CompleteAsync("""{"prompt":"abc","max_tokens":0}""");
        using var tool = Process.Start(new ProcessStartInfo(program, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        var complaints = tool.StandardError.ReadToEndAsync(Stop);
        await tool.StandardInput.WriteAsync((await server.GetAsync("/metrics")).Body);
        tool.StandardInput.Close();
        var lines = (await complaints).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(@"^vllm:\S+ metric names should not contain ':'$", line));
        await tool.WaitForExitAsync(Stop);
    }

    private static async Task<string?> StatusAsync(HttpClient http, string query)
    {
        using var reply = await http.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}", Stop);
        using var answer = JsonDocument.Parse(await reply.Content.ReadAsStringAsync(Stop));
        return answer.RootElement.GetProperty("status").GetString();
    }

    /// <summary>Asks until there is an answer: the first scrape comes when Prometheus has started.</summary>
    private static async Task<string> QueryAsync(HttpClient http, Process prometheus, string query)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            limit.Token.ThrowIfCancellationRequested();
            Assert.False(prometheus.HasExited);
            try
            {
                using var answer =
                    JsonDocument.Parse(await http.GetStringAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}", limit.Token));
                var result = answer.RootElement.GetProperty("data").GetProperty("result");
                if (result.GetArrayLength() > 0) return result[0].GetProperty("value")[1].GetString()!;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
        }
    }

    private static string? OnPath(string program) => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
