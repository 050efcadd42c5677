using System.Collections.Concurrent;
using System.Text;
using DeRa.Server.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

public class ExportTests
{
    [Fact]
    public async Task The_standard_variables_send_traces_metrics_and_logs_to_a_collector()
    {
        var received = new ConcurrentDictionary<string, string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.AddOrUpdate(signal, _ => Encoding.UTF8.GetString(body.ToArray()), (_, before) => before + Encoding.UTF8.GetString(body.ToArray()));
        });
        await collector.StartAsync(ServerFixture.Stop);
        var options = OptionReader.Read(["--drain-seconds=0"], new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.First(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "a-service-of-its-own",
        });
        var executor = Scripts.Saying("topsecretanswer");
        await using (var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor, model: "exported")), executor, options: options))
        {
            await server.PhaseChangedAsync();
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20}""");
            executor.RowError = _ => "broken";
            await server.CompleteAsync("""{"prompt":"topsecretprompt"}""");
        }
        // What is left is sent when the server ends.
        Assert.Contains("text_completion exported", received["traces"], StringComparison.Ordinal);
        Assert.Contains("gen_ai.server.request.duration", received["metrics"], StringComparison.Ordinal);
        Assert.Contains("failed", received["logs"], StringComparison.Ordinal);
        foreach (var body in received.Values)
        {
            Assert.Contains("a-service-of-its-own", body, StringComparison.Ordinal);
            Assert.DoesNotContain("topsecret", body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_unknown_form_of_log_lines_is_refused() => Assert.Equal("--log-format is 'xml'; it must be text or json.",
        Assert.Throws<OptionException>(() => OptionReader.Read(["--log-format", "xml"], new Dictionary<string, string>())).Message);
}
