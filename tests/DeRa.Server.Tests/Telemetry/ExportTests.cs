using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using DeRa.Hosting.Options;
using DeRa.Server.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

[Collection(nameof(MetricsTests))]
public class ExportTests
{
    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task The_standard_variables_send_traces_metrics_and_logs_to_a_collector(string protocol)
    {
        var received = new ConcurrentDictionary<string, string>();
        await using var collector = await CollectorAsync(protocol, received);
        var options = OptionReader.Read(["--drain-seconds=0"], new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.First(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
            ["OTEL_SERVICE_NAME"] = "a-service-of-its-own",
        });
        var executor = Scripts.Saying("topsecretanswer");
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        await using (var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor, model: "exported")), executor, options: options))
        {
            await server.PhaseChangedAsync();
            server.Http.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-00f067aa0ba902b7-01");
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20}""");
            executor.ReadoutError = _ => "broken";
            // Some clients put their key into the query, where it does no good.
            await server.PostAsync("/v1/completions?api_key=queriedsecret", """{"prompt":"topsecretprompt"}""");
        }
        // What is left is sent when the server ends.
        Assert.Contains("text_completion exported", received["traces"], StringComparison.Ordinal);
        Assert.Contains("gen_ai.server.request.duration", received["metrics"], StringComparison.Ordinal);
        Assert.Contains("failed", received["logs"], StringComparison.Ordinal);
        // Lines and spans can be joined: both carry the bytes of the client's trace id.
        foreach (var signal in (string[])["traces", "logs"])
            Assert.Contains(Encoding.Latin1.GetString(Convert.FromHexString(trace)), received[signal], StringComparison.Ordinal);
        Assert.DoesNotContain("queriedsecret", received["traces"] + received["metrics"], StringComparison.Ordinal);
        foreach (var body in received.Values)
        {
            Assert.Contains("a-service-of-its-own", body, StringComparison.Ordinal);
            Assert.DoesNotContain("topsecret", body, StringComparison.Ordinal);
        }
    }

    /// <summary>Takes what is sent to it under the paths of OTLP, and keeps it by signal, a character a byte.</summary>
    private static async Task<WebApplication> CollectorAsync(string protocol, ConcurrentDictionary<string, string> received)
    {
        var isGrpc = protocol == "grpc";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0,
            listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var collector = builder.Build();
        foreach (var (signal, service) in (ReadOnlySpan<(string, string)>)[
            ("traces", "trace.v1.Trace"), ("metrics", "metrics.v1.Metrics"), ("logs", "logs.v1.Logs")])
            collector.MapPost(isGrpc ? $"/opentelemetry.proto.collector.{service}Service/Export" : $"/v1/{signal}", async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                received.AddOrUpdate(signal, _ => Text(body), (_, before) => before + Text(body));
                if (!isGrpc) return;
                context.Response.ContentType = "application/grpc";
                // An empty message, uncompressed.
                await context.Response.Body.WriteAsync(new byte[5]);
                context.Response.AppendTrailer("grpc-status", "0");
            });
        await collector.StartAsync(ServerFixture.Stop);
        return collector;
    }

    private static string Text(MemoryStream bytes) => Encoding.Latin1.GetString(bytes.ToArray());

    [Fact]
    public void An_unknown_form_of_log_lines_is_refused() => Assert.Equal("--log-format is 'xml'; it must be text or json.",
        Assert.Throws<OptionException>(() => OptionReader.Read(["--log-format", "xml"], new Dictionary<string, string>())).Message);
}
