using System.Diagnostics;
using System.Text;
using DeRa.Engine.Telemetry;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.Telemetry;
using Grpc.Core;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

public class SpanTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>The spans of one trace, whose id is the client's: other tests' requests are heard too.</summary>
    private static async Task<IReadOnlyList<Activity>> SpansAsync(
        Func<ServerFixture, string, Task> act, string says = "hi", ServerOptions? options = null)
    {
        var spans = new List<Activity>();
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(TelemetrySetup.RequestSource, EngineTelemetry.Name).AddInMemoryExporter(spans).Build();
        var executor = Scripts.Saying(says);
        await using (var server = await ServerFixture.StartLoadingAsync(
            (_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor, options: options))
        {
            await server.PhaseChangedAsync();
            await act(server, $"00-{trace}-00f067aa0ba902b7-01");
            // A server that has stopped has ended every span.
            await server.StopAsync();
        }
        provider.Dispose();
        return [.. spans.Where(span => span.TraceId.ToHexString() == trace)];
    }

    private static async Task<Reply> PostAsync(ServerFixture server, string parent, string path, string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
            Headers = { { "traceparent", parent } },
        };
        using var response = await server.Http.SendAsync(request, Stop);
        return await Reply.ReadAsync(response);
    }

    private static Activity Root(IReadOnlyList<Activity> spans) => Assert.Single(spans, span => span.Kind == ActivityKind.Server);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Scores_have_a_span_with_their_phases(bool overGrpc)
    {
        var spans = await SpansAsync(async (server, parent) =>
        {
            if (!overGrpc)
                await PostAsync(server, parent, "/v1/realignment/score",
                    """{"items":[{"prompt":"ab","continuation":"cd"}],"alignment_sweep":[0,1,2]}""");
            else
                await server.Inference.ScoreAsync(new ScoreRequest
                {
                    Items = { new ScoreItem { Prompt = new Prompt { Text = "ab" }, Text = "cd" } },
                    AlignmentSweep = { new[] { 0.0, 1, 2 }.Select(strength => new ScoredStrength { AlignmentStrength = strength }) },
                }, new Metadata { { "traceparent", parent } }, cancellationToken: Stop);
        });
        var root = Root(spans);
        Assert.Equal("score pair", root.DisplayName);
        foreach (var (name, value) in (ReadOnlySpan<(string, object)>)[
            ("gen_ai.operation.name", "score"), ("gen_ai.provider.name", "dera"), ("gen_ai.request.model", "pair"),
            ("gen_ai.response.model", "pair"), ("gen_ai.usage.input_tokens", 5), ("gen_ai.usage.cache_read.input_tokens", 0),
            ("dera.score.items", 1), ("dera.score.strengths", 3), ("dera.score.tokens", 2)])
            Assert.Equal((name, value), (name, root.GetTagItem(name)));
        Assert.Equal(["reference", "aligned"], Assert.IsType<string[]>(root.GetTagItem("dera.models")));
        Assert.Equal(ActivityStatusCode.Unset, root.Status);
        Assert.Equal(["queue", "prefill"],
            spans.Where(span => span != root).OrderBy(span => span.StartTimeUtc).Select(phase => phase.DisplayName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_continues_its_client_s_trace_with_a_span_for_each_phase(bool stream)
    {
        var spans = await SpansAsync((server, parent) => PostAsync(server, parent, "/v1/completions",
            $$"""
            {"prompt":"a","seed":7,"lambda":0.5,"top_k":3,"top_p":0.75,"temperature":0.5,"frequency_penalty":0.25,"presence_penalty":-0.25,
            "max_tokens":9,"n":1,"stop":["\n","###"],"stream":{{(stream ? "true" : "false")}}}
            """));
        var root = Root(spans);
        Assert.Equal("00f067aa0ba902b7", root.ParentSpanId.ToHexString());
        Assert.Equal("text_completion pair", root.DisplayName);
        foreach (var (name, value) in (ReadOnlySpan<(string, object)>)[
            ("gen_ai.operation.name", "text_completion"), ("gen_ai.provider.name", "dera"), ("gen_ai.request.model", "pair"),
            ("gen_ai.response.model", "pair"), ("gen_ai.request.choice.count", 1), ("gen_ai.request.seed", 7L),
            ("gen_ai.request.stream", stream), ("gen_ai.request.max_tokens", 9), ("gen_ai.request.temperature", 0.5),
            ("gen_ai.request.top_k", 3), ("gen_ai.request.top_p", 0.75), ("gen_ai.request.frequency_penalty", 0.25),
            ("gen_ai.request.presence_penalty", -0.25), ("gen_ai.usage.input_tokens", 2), ("gen_ai.usage.output_tokens", 3),
            ("gen_ai.usage.cache_read.input_tokens", 0), ("dera.alignment_strength", 0.5)])
            Assert.Equal((name, value), (name, root.GetTagItem(name)));
        Assert.Equal(["\n", "###"], Assert.IsType<string[]>(root.GetTagItem("gen_ai.request.stop_sequences")));
        Assert.Equal(["reference", "aligned"], Assert.IsType<string[]>(root.GetTagItem("dera.models")));
        Assert.Equal(["stop"], Assert.IsType<string[]>(root.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.StartsWith("cmpl-", (string?)root.GetTagItem("gen_ai.response.id"), StringComparison.Ordinal);
        Assert.Equal(ActivityStatusCode.Unset, root.Status);

        var phases = spans.Where(span => span != root).OrderBy(span => span.StartTimeUtc).ToList();
        Assert.Equal(["queue", "prefill", "decode"], phases.Select(phase => phase.DisplayName));
        Assert.All(phases, phase => Assert.Equal(root.SpanId, phase.ParentSpanId));
        Assert.Equal(phases[0].StartTimeUtc + phases[0].Duration, phases[1].StartTimeUtc);
        Assert.Equal(phases[1].StartTimeUtc + phases[1].Duration, phases[2].StartTimeUtc);
        Assert.True(phases[0].StartTimeUtc >= root.StartTimeUtc - TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task A_sweep_is_told_with_all_its_choices()
    {
        var root = Root(await SpansAsync((server, parent) =>
            PostAsync(server, parent, "/v1/completions", """{"prompt":"a","alignment_sweep":[0,2,0.5],"n":2}""")));
        Assert.Equal([0, 2, 0.5], Assert.IsType<double[]>(root.GetTagItem("dera.alignment_sweep")));
        Assert.Equal((6, null), (root.GetTagItem("gen_ai.request.choice.count"), root.GetTagItem("dera.alignment_strength")));
    }

    [Fact]
    public async Task A_gRPC_call_has_the_same_span()
    {
        var spans = await SpansAsync(async (server, parent) => await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "a" } }, new Metadata { { "traceparent", parent } },
                cancellationToken: Stop));
        Assert.Equal("text_completion pair", Root(spans).DisplayName);
        Assert.Equal(4, spans.Count);
    }

    [Theory]
    [InlineData("""{"prompt":"a","max_tokens":0}""", "InvalidRequestException")]
    [InlineData("""{"prompt":"fault","stream":true}""", "GenerationFailedException")]
    [InlineData("""{"prompt":"fault"}""", "GenerationFailedException")]
    public async Task What_goes_wrong_is_on_the_span(string json, string error)
    {
        var root = Root(await SpansAsync((server, parent) =>
        {
            server.Executor.ReadoutError = readout => readout.Sampling!.Value.History.Length == 8 ? "logits are not finite" : null;
            return PostAsync(server, parent, "/v1/completions", json);
        }));
        Assert.Equal((ActivityStatusCode.Error, error), (root.Status, root.GetTagItem("error.type")));
    }

    [Fact]
    public async Task Probes_and_scrapes_have_no_span() => Assert.Empty(await SpansAsync(async (server, parent) =>
    {
        foreach (var path in (string[])["/livez", "/readyz", "/metrics", "/v1/models", "/version"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "traceparent", parent } } };
            using var response = await server.Http.SendAsync(request, Stop);
            Assert.True(response.IsSuccessStatusCode);
        }
    }));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_is_on_spans_by_opt_in_only(bool isThere)
    {
        var spans = await SpansAsync(async (server, parent) =>
        {
            await PostAsync(server, parent, "/v1/completions", """{"prompt":"topsecretprompt","max_tokens":20}""");
            await PostAsync(server, parent, "/v1/chat/completions",
                """{"messages":[{"role":"user","content":"topsecretprompt"}],"max_tokens":20,"stream":true}""");
            await PostAsync(server, parent, "/v1/completions", """{"prompt":"topsecretprompt","max_tokens":0}""");
        }, "topsecretanswer", new ServerOptions { Time = new() { DrainSeconds = 0 }, Telemetry = new() { CaptureContent = isThere } });
        var text = string.Join('\n', spans.SelectMany(span => span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}")));
        Assert.Equal(isThere, text.Contains("topsecret", StringComparison.Ordinal));
        if (!isThere) return;
        Assert.Contains("""gen_ai.input.messages=[{"role":"user","parts":[{"type":"text","content":"topsecretprompt"}]}]""", text,
            StringComparison.Ordinal);
        Assert.Contains("""gen_ai.output.messages=[{"role":"assistant","parts":[{"type":"text","content":"topsecretanswer"}],"finish_reason":"stop"}]""",
            text, StringComparison.Ordinal);
    }
}
