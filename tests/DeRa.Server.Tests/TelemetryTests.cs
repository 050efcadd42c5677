using System.Collections.Concurrent;
using System.Diagnostics;
using DeRa.Engine.Telemetry;
using DeRa.Protos.V1;
using Xunit;

namespace DeRa.Server.Tests;

public class TelemetryTests
{
    [Fact]
    public async Task Each_request_has_a_span_with_the_names_that_tools_read()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EngineTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        // Other tests run at the same time and are heard too: these are told apart by their seeds.
        await server.CompleteAsync("""{"prompt":"secret prompt","seed":770001,"lambda":0.5,"top_k":3,"stream":true}""");
        await server.ChatAsync("""{"messages":[{"role":"user","content":"secret prompt"}],"seed":770002}""");
        await server.Inference.GenerateAsync(new GenerateRequest
        {
            Prompt = new Prompt { Text = "secret prompt" },
            Options = new GenerationOptions { Seed = 770003 },
        }, cancellationToken: ServerFixture.Stop);
        await ServerFixture.EventuallyAsync(() => Enumerable.Range(770001, 3).All(seed => Span(seed) is not null));

        Activity? Span(long seed) => spans.FirstOrDefault(span => Equals(span.GetTagItem("gen_ai.request.seed"), seed));
        var completion = Span(770001)!;
        Assert.Equal("text_completion pair", completion.DisplayName);
        Assert.Equal(0.5, completion.GetTagItem("dera.alignment_strength"));
        Assert.Equal(3, completion.GetTagItem("gen_ai.request.top_k"));
        Assert.Equal(3, completion.GetTagItem("gen_ai.usage.output_tokens"));
        Assert.Equal(["stop"], Assert.IsType<string[]>(completion.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.Equal("chat pair", Span(770002)!.DisplayName);
        Assert.Equal("text_completion pair", Span(770003)!.DisplayName);
        Assert.DoesNotContain(completion.TagObjects, tag => tag.Value?.ToString()?.Contains("secret", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Prompts_and_answers_are_never_logged()
    {
        using var logs = new LogCollector();
        var executor = Scripts.Saying("topsecretanswer");
        await using (var server = await ServerFixture.StartAsync(executor, logs: logs))
        {
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20}""");
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20,"stream":true,"stop":["topsecretstop"]}""");
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":-1}""");
            executor.RowError = _ => "broken";
            await server.CompleteAsync("""{"prompt":"topsecretprompt"}""");
            await Assert.ThrowsAnyAsync<Exception>(async () => await server.Inference.GenerateAsync(
                new GenerateRequest { Prompt = new Prompt { Text = "topsecretprompt" } }, cancellationToken: ServerFixture.Stop));
        }
        Assert.Contains(logs.Lines, line => line.Contains("failed", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, line => line.Contains("topsecret", StringComparison.Ordinal));
    }
}
