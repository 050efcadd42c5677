using DeRa.Protos.V1;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

public class LogTests
{
    [Fact]
    public async Task Prompts_and_answers_are_never_logged()
    {
        using var logs = new LogCollector();
        var executor = Scripts.Saying("topsecretanswer");
        await using (var server = await ServerFixture.StartAsync(executor, logs: logs))
        {
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20}""");
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":20,"stream":true,"stop":["topsecretstop"]}""");
            await server.CompleteAsync("""{"prompt":"topsecretprompt","max_tokens":0}""");
            executor.ReadoutError = _ => "broken";
            await server.CompleteAsync("""{"prompt":"topsecretprompt"}""");
            await Assert.ThrowsAnyAsync<Exception>(async () => await server.Inference.GenerateAsync(
                new GenerateRequest { Prompt = new Prompt { Text = "topsecretprompt" } }, cancellationToken: ServerFixture.Stop));
        }
        Assert.Contains(logs.Lines, line => line.Contains("failed", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, line => line.Contains("topsecret", StringComparison.Ordinal));
    }
}
