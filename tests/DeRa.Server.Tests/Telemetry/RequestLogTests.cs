using System.Text;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Logging;
using Xunit;

namespace DeRa.Server.Tests.Telemetry;

public sealed class RequestLogTests : IDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private readonly LogCollector _logs = new();

    public void Dispose() => _logs.Dispose();

    private IEnumerable<LogCollector.Entry> Lines => _logs.Entries.Where(line => line.Event == "Request");

    /// <summary>A request's line is written when all of it is over: soon after its client has the answer.</summary>
    private async Task<LogCollector.Entry> LineAsync(Func<LogCollector.Entry, bool> isMeant)
    {
        await ServerFixture.EventuallyAsync(() => Lines.Any(isMeant));
        return Lines.Single(isMeant);
    }

    private Task<LogCollector.Entry> LineAsync(Reply reply) =>
        LineAsync(line => (string?)line.Fields["RequestId"] == reply.Headers["x-request-id"]);

    private static HttpRequestMessage Post(string json) => new(HttpMethod.Post, "/v1/completions")
    {
        Content = new StringContent(json, Encoding.UTF8, "application/json"),
    };

    [Fact]
    public async Task Scores_are_one_line_with_what_was_scored()
    {
        await using var server = await ServerFixture.StartAsync(logs: _logs);
        var reply = await server.PostAsync("/v1/realignment/score",
            """{"items":[{"prompt":"ab","continuation":"cde"},{"prompt":"ab","continuation":"f"}],"alignment_sweep":[0,0.5,1,2]}""");
        var line = await LineAsync(reply);
        Assert.Equal(
            ["Method", "Path", "Status", "Model", "Items", "StrengthCount", "InputTokens", "ScoredTokens", "CachedTokens", "DurationMs",
                "RequestId"],
            line.Fields.Keys);
        // The token that begins a text counts for each item.
        Assert.Equal(FormattableString.Invariant($"POST /v1/realignment/score 200 model=pair items=2 strength_count=4 in=10 scored=4 cached=0 ms={line.Fields["DurationMs"]} id={reply.Headers["x-request-id"]}"), line.Text);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task A_completion_is_one_line_without_its_content(string stream)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("four"), logs: _logs);
        var reply = await server.CompleteAsync($$"""{"prompt":"abc","alignment_strength":0.5,"stream":{{stream}},"n":2,"user":"secret"}""");
        var line = await LineAsync(reply);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Equal(
            ["Method", "Path", "Status", "Model", "Strength", "InputTokens", "OutputTokens", "CachedTokens", "FirstTokenMs", "DurationMs",
                "RequestId"],
            line.Fields.Keys);
        // Three letters and the token that begins a text; two choices of four tokens and the one that ends them.
        Assert.Equal(("POST", "/v1/completions", 200, "pair", 0.5, 4, 10, 0),
            (line.Fields["Method"], line.Fields["Path"], line.Fields["Status"], line.Fields["Model"], line.Fields["Strength"],
                line.Fields["InputTokens"], line.Fields["OutputTokens"], line.Fields["CachedTokens"]));
        var (first, all) = ((double)line.Fields["FirstTokenMs"]!, (double)line.Fields["DurationMs"]!);
        Assert.InRange(first, 0, all);
        Assert.Equal(FormattableString.Invariant(
            $"POST /v1/completions 200 model=pair strength=0.5 in=4 out=10 cached=0 first_ms={first} ms={all} id={reply.Headers["x-request-id"]}"), line.Text);
    }

    [Fact]
    public async Task Strengths_of_several_models_stand_by_their_names()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"), logs: _logs, aligned: ["helpful", "concise"]);
        var line = await LineAsync(await server.CompleteAsync("""{"prompt":"a","alignment_strengths":{"helpful":0.25,"concise":1}}"""));
        Assert.Equal("helpful:0.25,concise:1", line.Fields["Strengths"]);
        Assert.DoesNotContain("Strength", line.Fields.Keys);
    }

    [Fact]
    public async Task The_strengths_of_a_sweep_stand_in_their_order()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"), logs: _logs);
        var line = await LineAsync(await server.CompleteAsync("""{"prompt":"a","alignment_sweep":[0,2,0.5],"n":2}"""));
        Assert.Equal(("0,2,0.5", 2, 12), (line.Fields["Sweep"], line.Fields["InputTokens"], line.Fields["OutputTokens"]));
        Assert.DoesNotContain("Strength", line.Fields.Keys);
    }

    [Theory]
    [InlineData("POST", "/v1/completions", """{"prompt":"topsecret","max_tokens":-2}""", 400)]
    [InlineData("POST", "/v1/completions?key=topsecret", """{"prompt":"topsecret","model":"topsecret"}""", 404)]
    [InlineData("POST", "/v1/completions", "topsecret", 400)]
    [InlineData("GET", "/nowhere?key=topsecret", null, 404)]
    [InlineData("GET", "/v1/completions", null, 405)]
    [InlineData("HEAD", "/nowhere", null, 404)]
    public async Task What_is_refused_is_a_line_too(string method, string path, string? body, int status)
    {
        await using var server = await ServerFixture.StartAsync(logs: _logs);
        using var request = SecuredServer.Request(new HttpMethod(method), path, json: body);
        var line = await LineAsync(await server.SendAsync(request));
        Assert.Equal((LogLevel.Information, method, path.Split('?')[0], status),
            (line.Level, line.Fields["Method"], line.Fields["Path"], line.Fields["Status"]));
        Assert.DoesNotContain("Model", line.Fields.Keys);
        Assert.DoesNotContain(Lines, other => other.Text.Contains("topsecret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_keys_name_is_told_and_never_the_key()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder), logs: _logs);
        Assert.Equal("alice", (await LineAsync(await server.CompleteWithAsync(SecuredServer.Key))).Fields["Key"]);
        var refused = await LineAsync(await server.CompleteWithAsync("dera-ffffffffffffffffffffffffffffffff"));
        Assert.Equal((401, "KeyRefusedException"), (refused.Fields["Status"], refused.Fields["Error"]));
        Assert.DoesNotContain("Key", refused.Fields.Keys);
        await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "a" } }, SecuredServer.Credentials(SecuredServer.OtherKey),
                cancellationToken: Stop);
        var call = await LineAsync(line => line.Text.StartsWith("POST /dera.", StringComparison.Ordinal));
        Assert.Equal(("bob", "OK"), (call.Fields["Key"], call.Fields["GrpcStatus"]));
        Assert.DoesNotContain(_logs.Lines, line => line.Contains("dera-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_in_mid_answer_is_told_with_what_it_got()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless(), logs: _logs);
        using (var request = Post("""{"prompt":"abc","stream":true,"max_tokens":1000000}"""))
        using (var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop))
            await (await response.Content.ReadAsStreamAsync(Stop)).ReadExactlyAsync(new byte[6], Stop);
        var line = await LineAsync(_ => true);
        Assert.Equal((200, 4), (line.Fields["Status"], line.Fields["InputTokens"]));
        Assert.NotNull(line.Fields["Error"]);
        Assert.True((int)line.Fields["OutputTokens"]! > 0);
    }

    [Fact]
    public async Task A_client_that_leaves_before_any_answer_has_the_status_499()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, logs: _logs);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var request = Post("""{"prompt":"abc"}""");
        var asking = server.Http.SendAsync(request, leave.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        var line = await LineAsync(_ => true);
        Assert.Equal((499, 4, 0), (line.Fields["Status"], line.Fields["InputTokens"], line.Fields["OutputTokens"]));
        Assert.DoesNotContain("FirstTokenMs", line.Fields.Keys);
        hold.Release(1000);
    }

    [Fact]
    public async Task Calls_over_gRPC_are_lines_with_their_own_status()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("four"), logs: _logs);
        var options = new GenerationOptions { AlignmentStrength = 2 };
        await server.Inference.GenerateAsync(new GenerateRequest { Prompt = new Prompt { Text = "abc" }, Options = options },
            cancellationToken: Stop);
        var answered = await LineAsync(line => line.Text.Contains("/Generate ", StringComparison.Ordinal));
        Assert.Equal(("/dera.v1.InferenceService/Generate", 200, "OK", "pair", 2.0, 4, 5),
            (answered.Fields["Path"], answered.Fields["Status"], answered.Fields["GrpcStatus"], answered.Fields["Model"],
                answered.Fields["Strength"], answered.Fields["InputTokens"], answered.Fields["OutputTokens"]));
        options.MaxTokens = -2;
        using var refused = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = new Prompt { Text = "topsecret" }, Options = options }, cancellationToken: Stop);
        await Assert.ThrowsAsync<RpcException>(async () => await refused.ResponseStream.MoveNext(Stop));
        var line = await LineAsync(line => line.Text.Contains("/GenerateStream ", StringComparison.Ordinal));
        Assert.Equal((LogLevel.Information, "InvalidArgument"), (line.Level, line.Fields["GrpcStatus"]));
        Assert.DoesNotContain(Lines, other => other.Text.Contains("topsecret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_its_client_cancels_is_a_line()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless(), logs: _logs);
        using (var call = server.Inference.GenerateStream(new GenerateStreamRequest
        {
            Prompt = new Prompt { Text = "abc" },
            Options = new GenerationOptions { MaxTokens = 1_000_000 },
        }, cancellationToken: Stop))
            for (var events = 0; events < 2; events++) Assert.True(await call.ResponseStream.MoveNext(Stop));
        var line = await LineAsync(_ => true);
        Assert.Equal("Cancelled", line.Fields["GrpcStatus"]);
        Assert.True((int)line.Fields["OutputTokens"]! > 0);
    }

    [Fact]
    public async Task Probes_and_scrapes_are_lines_of_the_level_debug_unless_they_are_refused()
    {
        await using var server = await ServerFixture.StartAsync(logs: _logs);
        foreach (var path in (string[])["/livez", "/readyz", "/health", "/metrics"])
            Assert.Equal(LogLevel.Debug, (await LineAsync(await server.GetAsync(path))).Level);
        server.Engine.Dispose();
        Assert.Equal((LogLevel.Debug, 503), await LineAsync(await server.GetAsync("/readyz")) is var unwell
            ? (unwell.Level, unwell.Fields["Status"]) : default);
        await new Health.HealthClient(server.Channel).CheckAsync(new HealthCheckRequest(), cancellationToken: Stop);
        Assert.Equal(LogLevel.Debug, (await LineAsync(line => line.Text.Contains("Health/Check", StringComparison.Ordinal))).Level);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics") { Headers = { Host = "evil.example.com" } };
        var refused = await LineAsync(await server.SendAsync(request));
        Assert.Equal((LogLevel.Information, 421), (refused.Level, refused.Fields["Status"]));
    }

    [Fact]
    public async Task No_request_is_logged_where_nobody_wants_it()
    {
        await using (var server =
            await SecuredServer.StartAsync(new ServerOptions { Telemetry = new() { LogRequests = false } }, logs: _logs))
            Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
        Assert.NotEmpty(_logs.Lines);
        Assert.Empty(Lines);
    }

    [Fact]
    public async Task What_clients_send_can_neither_end_a_line_nor_be_without_bound()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"), logs: _logs);
        var path = await LineAsync(await server.GetAsync("/v1/models/a%0Ainfo%0Dforged%1B%E2%80%A8%E2%80%AE%20x"));
        Assert.Equal("/v1/models/a%0Ainfo%0Dforged%1B%E2%80%A8%E2%80%AE%20x", path.Fields["Path"]);
        // A number may end in white space, and a line break is some.
        var model = await LineAsync(await server.CompleteAsync("""{"prompt":"a","model":"pair@0.5\r\n"}"""));
        Assert.Equal((200, @"pair@0.5\u000D\u000A"), (model.Fields["Status"], model.Fields["Model"]));
        var many = await LineAsync(await server.CompleteAsync($$"""{"prompt":"a","model":"pair@0.{{new string('0', 100_000)}}"}"""));
        var longest = await LineAsync(await server.GetAsync("/" + new string('x', 4000)));
        Assert.True(many.Text.Length < 600 && longest.Text.Length < 600);
        Assert.All(Lines, line => Assert.DoesNotContain(line.Text, char.IsControl));
    }
}
