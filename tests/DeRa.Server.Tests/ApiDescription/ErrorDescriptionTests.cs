using System.Net.Http.Headers;
using System.Text;
using DeRa.Engine;
using DeRa.Hosting.Options;
using DeRa.Server.Options;
using DeRa.Server.Tests.Telemetry;
using DeRa.Serving;
using DeRa.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests.ApiDescription;

/// <summary>What clients read of an error besides its message, and the kinds under which errors are counted.</summary>
[Collection(nameof(MetricsTests))]
public class ErrorDescriptionTests
{
    private const string Key = "dera-0123456789abcdef0123456789abcdef";
    private const string Prompt = """{"prompt":"a"}""";
    private const string TwoChoices = """{"prompt":"a","n":2}""";

    private static readonly ServerOptions Options = new()
    {
        Time = new() { DrainSeconds = 0, RequestTimeoutSeconds = 600 },
        Key = new() { ApiKey = new Secret(Key), MaxConcurrentRequests = 2 },
        Origin = new() { AllowedHosts = ["localhost"] },
        Body = new() { MaxBodyBytes = 4096 },
    };

    private readonly StringBuilder _text = new();

    [Fact]
    public async Task Errors_are_the_approved_ones()
    {
        var (executor, time, loading) = (new ScriptedExecutor(), new FakeTimeProvider(), new TaskCompletionSource<ServedPair>());
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loading.Task, executor, options: Options);
        await TellAsync("without a key", AskAsync(server, Prompt));
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        await TellAsync("while loading", AskAsync(server, Prompt));
        var engine = new EngineOptions { MaxRunning = 1, MaxBatchTokens = 16, MaxQueued = 2 };
        loading.SetResult(ServerFixture.Pair(executor, engine, Options.ToRequestLimits(), time));
        await server.PhaseChangedAsync();
        await TellRefusalsAsync(server);
        await TellFaultsUnderLoadAsync(server, time);
        // The labels are read by dashboards and alerts.
        var kinds = (await Scrape.OfAsync(server)).Series("dera_request_errors_total").Select(labels => labels["error_type"]);
        _text.Append("error_type: ").AppendJoin(' ', kinds.Order(StringComparer.Ordinal)).Append('\n');
        ApiDescriptionTests.AssertApproved("errors.txt", _text.ToString());
    }

    private async Task TellRefusalsAsync(ServerFixture server)
    {
        await TellAsync("another host", AskAsync(server, Prompt, host: "elsewhere.example"));
        await TellAsync("another path", AskAsync(server, Prompt, path: "/v1/nothing"));
        await TellAsync("another method", AskAsync(server, Prompt, path: "/v1/models"));
        await TellAsync("broken JSON", AskAsync(server, "{"));
        await TellAsync("another media type", AskAsync(server, Prompt, mediaType: "text/plain"));
        await TellAsync("a body too long", AskAsync(server, new string(' ', 5000)));
        await TellAsync("a value out of range", AskAsync(server, """{"prompt":"a","lambda":11}"""));
        await TellAsync("a misspelt field", AskAsync(server, """{"prompt":"a","lamda":1}"""));
        await TellAsync("an unknown model", AskAsync(server, """{"prompt":"a","model":"nothing"}"""));
        await TellAsync("an unknown generation", AskAsync(server, """{"alignment_strength":1}""", path: "/v1/realignment/generations/0"));
        server.Executor.ReadoutError = _ => "broken";
        await TellAsync("a failure inside", AskAsync(server, Prompt));
        server.Executor.ReadoutError = null;
    }

    /// <summary>One sequence runs, which the test holds, and two wait.</summary>
    private async Task TellFaultsUnderLoadAsync(ServerFixture server, FakeTimeProvider time)
    {
        server.Executor.BeforeStep = _ => server.Executor.TestOver.WaitHandle.WaitOne();
        var running = AskAsync(server, TwoChoices);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { RunningSequences: 1, QueuedSequences: 1 });
        await TellAsync("a full queue", AskAsync(server, TwoChoices));
        var queued = AskAsync(server, Prompt);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.QueuedSequences == 2);
        await TellAsync("too many of one key", AskAsync(server, Prompt));
        time.Advance(TimeSpan.FromSeconds(601));
        await TellAsync("a deadline while running", running);
        await TellAsync("a deadline while queued", queued);
    }

    private async Task TellAsync(string name, Task<Reply> asked)
    {
        var reply = await asked;
        _text.Append(FormattableString.Invariant($"{name}: {reply.Status} {reply.Type}"));
        _text.Append(FormattableString.Invariant($" param={reply.Param ?? "null"} code={reply.Code ?? "null"}"));
        foreach (var header in (string[])["Retry-After", "x-should-retry", "Allow", "WWW-Authenticate"])
            if (reply.Headers.TryGetValue(header, out var value)) _text.Append(FormattableString.Invariant($" {header}={value}"));
        _text.Append('\n');
    }

    private static async Task<Reply> AskAsync(
        ServerFixture server, string body, string path = "/v1/completions", string mediaType = "application/json", string? host = null)
    {
        using var content = new StringContent(body, Encoding.UTF8, mediaType);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Host = host;
        using var response = await server.Http.SendAsync(request, ServerFixture.Stop);
        return await Reply.ReadAsync(response);
    }
}
