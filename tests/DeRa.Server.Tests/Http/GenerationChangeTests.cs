using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using DeRa.Engine.Scheduling;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using DeRa.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>A client that changes the strength of a stream, or ends it, with a request beside it.</summary>
public class GenerationChangeTests
{
    private const string Streamed = """{"prompt":"a","stream":true,"max_tokens":1000000,"alignment_strength":0""";
    private const string Chat = """
        {"messages":[{"role":"user","content":"a"}],"stream":true,"max_tokens":1000000,"alignment_strength":0
        """;
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static int Registered(ServerFixture server) => server.Services.GetRequiredService<RunningGenerations>().Count;

    private static string PathOf(string id) => $"/v1/realignment/generations/{id}";

    private static Task<Reply> ChangeAsync(ServerFixture server, string id, string json, string? key = null) =>
        server.SendAsync(HttpMethod.Post, PathOf(id), key, json);

    private static double? StrengthOf(JsonElement happened) => happened.GetProperty("choices")[0]
        .TryGetProperty("alignment_strength", out var strength) ? strength.GetDouble() : null;

    [Theory]
    [InlineData("/v1/completions", Streamed, "")]
    [InlineData("/v1/chat/completions", Chat, "")]
    [InlineData("/v1/completions", Streamed, ",\"choice\":1")]
    public async Task A_change_is_in_force_from_the_token_that_the_answer_names(string path, string begin, string choice)
    {
        // Of each choice the strength of each output token; branches are numbered in the order of choices.
        var drawn = new ConcurrentDictionary<(int Branch, int Token), double>();
        var executor = Scripts.Endless();
        executor.BeforeStep = plan =>
        {
            foreach (var readout in plan.Readouts)
                if (readout.Sampling is { } sampling)
                    drawn[(readout.Branch, sampling.History.Length - sampling.PromptTokens)] = readout.Strengths[0];
        };
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off });
        using var stream = await OpenStream.StartAsync(server, begin + ",\"n\":2}", path);
        var first = (await stream.NextAsync())!.Value;
        Assert.Matches("^[0-9a-f]{32}$", stream.Id);
        Assert.Equal(stream.Id, first.GetProperty("generation_id").GetString());
        var changed = await ChangeAsync(server, stream.Id, $"{{\"alignment_strength\":2{choice}}}");
        Assert.Equal(200, changed.Status);
        var from = changed.Json.GetProperty("choices").EnumerateArray()
            .ToDictionary(one => one.GetProperty("index").GetInt32(), one => one.GetProperty("from_token").GetInt32());
        Assert.Equal(choice.Length > 0 ? [1] : [0, 1], from.Keys);
        JsonElement? last = first;
        while (last is { } happened && StrengthOf(happened) != 2)
        {
            last = await stream.NextAsync();
            Assert.False(last!.Value.TryGetProperty("generation_id", out _));
        }
        Assert.Equal(200, (await ChangeAsync(server, stream.Id, """{"stop":true}""")).Status);
        var ends = new List<string?>();
        while (await stream.NextAsync() is { } happened)
            if (happened.GetProperty("choices")[0].GetProperty("finish_reason").GetString() is { } reason) ends.Add(reason);
        Assert.Equal(["stop", "stop"], ends);
        var firstBranch = drawn.Keys.Min(place => place.Branch);
        foreach (var ((branch, token), strength) in drawn)
            Assert.Equal(from.TryGetValue(branch - firstBranch, out var start) && token >= start ? 2 : 0, strength);
        Assert.All(from, one => Assert.True(drawn.ContainsKey((firstBranch + one.Key, one.Value))));
        await ServerFixture.EventuallyAsync(() => Registered(server) == 0 && server.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task What_follows_a_change_is_what_a_request_that_began_with_the_text_gets()
    {
        using var hold = new SemaphoreSlim(50);
        var executor = new ScriptedExecutor(contextTokens: 1 << 14, blockTokens: 64, blockCount: 1 << 10);
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, new() { Speculation = Speculation.Off });
        // Each token is a letter, so that each is a chunk.
        var letters = string.Join(',', Enumerable.Range('a', 26));
        var common = $"\"seed\":5,\"allowed_token_ids\":[{letters}],\"return_token_ids\":true";
        using var stream = await OpenStream.StartAsync(
            server, $$"""{"prompt":"a",{{common}},"stream":true,"max_tokens":16000,"alignment_strength":0}""");
        var (tokens, from, change, isStopped) = (new List<int>(), (int?)null, (Task<Reply>?)null, false);
        while (await stream.NextAsync() is { } happened)
        {
            tokens.AddRange(happened.GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray().Select(token => token.GetInt32()));
            hold.Release();
            if (tokens.Count == 5) change = ChangeAsync(server, stream.Id, """{"alignment_strength":2}""");
            if (from is null && change is { IsCompleted: true })
                from = (await change).Json.GetProperty("choices")[0].GetProperty("from_token").GetInt32();
            // The reply to the change may come when more than 20 tokens have followed.
            if (!isStopped && tokens.Count >= from + 20)
            {
                isStopped = true;
                hold.Release(1 << 20);
                await ChangeAsync(server, stream.Id, """{"stop":true}""");
            }
        }
        async Task<IEnumerable<int>> TokensAsync(IEnumerable<int> prompt, int count, int strength) => (await server.CompleteAsync(
            $$"""{"prompt":[{{string.Join(',', prompt)}}],{{common}},"max_tokens":{{count}},"alignment_strength":{{strength}}}"""))
            .Choice().GetProperty("token_ids").EnumerateArray().Select(token => token.GetInt32());
        var place = from!.Value;
        int[] prompt = [ByteTokenizer.Bos, 'a'];
        Assert.Equal(tokens[..place], await TokensAsync(prompt, place, 0));
        Assert.Equal(tokens[place..], await TokensAsync([.. prompt, .. tokens[..place]], tokens.Count - place, 2));
        Assert.NotEqual(tokens[place..], await TokensAsync([.. prompt, .. tokens[..place]], tokens.Count - place, 0));
    }

    [Fact]
    public async Task One_choice_may_end_and_the_other_goes_on()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var stream = await OpenStream.StartAsync(server, Streamed + ",\"n\":2}");
        Assert.True((await ChangeAsync(server, stream.Id, """{"stop":true,"choice":0}""")).Json.GetProperty("stopped").GetBoolean());
        async Task<int> NextEndAsync()
        {
            while (true)
                if ((await stream.NextAsync())!.Value.GetProperty("choices")[0] is var one
                    && one.GetProperty("finish_reason").ValueKind == JsonValueKind.String) return one.GetProperty("index").GetInt32();
        }
        Assert.Equal(0, await NextEndAsync());
        var changed = await ChangeAsync(server, stream.Id, """{"alignment_strength":1}""");
        Assert.Equal([JsonValueKind.Null, JsonValueKind.Number], changed.Json.GetProperty("choices").EnumerateArray()
            .Select(one => one.GetProperty("from_token").ValueKind));
        Assert.Equal(200, (await ChangeAsync(server, stream.Id, """{"stop":true}""")).Status);
        Assert.Equal(1, await NextEndAsync());
        Assert.Null(await stream.NextAsync());
    }

    [Fact]
    public async Task Several_aligned_models_are_changed_by_name()
    {
        var executor = new ScriptedExecutor(contextTokens: 1 << 20, blockTokens: 1 << 12, blockCount: 1 << 9,
            runners: [.. Enumerable.Range(0, 3).Select(model => new RunnerLimits([model], ""))])
        {
            Script = _ => 'a',
        };
        await using var server = await ServerFixture.StartAsync(executor, aligned: ["helpful", "concise"]);
        using var stream = await OpenStream.StartAsync(server, Streamed + "}");
        Assert.Equal(200, (await ChangeAsync(server, stream.Id, """{"alignment_strengths":{"helpful":0.5,"concise":0.25}}""")).Status);
        JsonElement own;
        do own = (await stream.NextAsync())!.Value.GetProperty("choices")[0];
        while (!own.TryGetProperty("alignment_strengths", out _));
        Assert.Equal("""{"helpful":0.5,"concise":0.25}""", own.GetProperty("alignment_strengths").GetRawText());
    }

    [Fact]
    public async Task Unknown_ended_and_another_key_s_ids_are_the_same_404()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder), Scripts.Endless());
        using var stream = await OpenStream.StartAsync(server, Streamed + "}", key: SecuredServer.Key);
        var others = await ChangeAsync(server, stream.Id, """{"alignment_strength":1}""", SecuredServer.OtherKey);
        var unknown = await ChangeAsync(server, new string('0', 32), """{"alignment_strength":1}""", SecuredServer.Key);
        var stop = await ChangeAsync(server, stream.Id, """{"stop":true}""", SecuredServer.OtherKey);
        var bad = await ChangeAsync(server, stream.Id, """{"alignment_strength":99}""", SecuredServer.OtherKey);
        var withoutKey = await ChangeAsync(server, stream.Id, """{"stop":true}""");
        Assert.Equal(401, withoutKey.Status);
        // It is still there, and its own key's.
        Assert.Equal(200, (await ChangeAsync(server, stream.Id, """{"stop":true}""", SecuredServer.Key)).Status);
        while (await stream.NextAsync() is not null) continue;
        await ServerFixture.EventuallyAsync(() => Registered(server) == 0);
        var ended = await ChangeAsync(server, stream.Id, """{"alignment_strength":1}""", SecuredServer.Key);
        foreach (var reply in (Reply[])[others, unknown, stop, bad, ended])
            Assert.Equal((404, "generation_not_found", others.Body), (reply.Status, reply.Code, reply.Body));
    }

    [Fact]
    public async Task A_key_with_one_request_at_once_may_change_the_one_that_it_has()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder, "concurrent=1"), Scripts.Endless());
        using var stream = await OpenStream.StartAsync(server, Streamed + "}", key: SecuredServer.Key);
        Assert.Equal(429, (await server.CompleteWithAsync(SecuredServer.Key)).Status);
        Assert.Equal(200, (await ChangeAsync(server, stream.Id, """{"alignment_strength":1}""", SecuredServer.Key)).Status);
    }

    [Theory]
    [InlineData("{}", "alignment_strength", "or 'stop': true")]
    [InlineData("{\"stop\":false}", "alignment_strength", "or 'stop': true")]
    [InlineData("{\"alignment_strength\":11}", "alignment_strength", "between -1 and 10")]
    [InlineData("{\"lambda\":11}", "lambda", "between -1 and 10")]
    [InlineData("{\"alignment_strength\":\"1\"}", "alignment_strength", "a number")]
    [InlineData("{\"alignment_strengths\":{\"other\":1}}", "alignment_strengths.other", "none of the aligned models")]
    [InlineData("{\"alignment_strength\":1,\"alignment_strengths\":{\"aligned\":1}}", "alignment_strengths", "both set")]
    [InlineData("{\"alignment_strength\":1,\"stop\":true}", "stop", "'stop' and 'alignment_strength' are both set")]
    [InlineData("{\"alignment_strength\":1,\"choice\":2}", "choice", "is 2; it must be between 0 and 1")]
    [InlineData("{\"stop\":true,\"choice\":-1}", "choice", "between 0 and 1")]
    [InlineData("{\"stop\":1}", "stop", "true or false")]
    [InlineData("{\"alignment_strengt\":1}", "alignment_strengt", "is 'alignment_strength' meant?")]
    public async Task What_is_wrong_is_refused_by_name_and_changes_nothing(string json, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var stream = await OpenStream.StartAsync(server, Streamed + ",\"n\":2}");
        var reply = await ChangeAsync(server, stream.Id, json);
        Assert.Equal((400, param), (reply.Status, reply.Param));
        Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Null(StrengthOf((await stream.NextAsync())!.Value));
        Assert.Equal(1, Registered(server));
    }

    [Fact]
    public void More_changes_than_1000_in_a_second_are_refused()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var rate = new ChangeRate(time);
        for (var i = 0; i < ChangeRate.MaxChangesPerSecond; i++) rate.Count("A change");
        Assert.Equal(1, Assert.Throws<DeRa.Hosting.Security.LimitExceededException>(() => rate.Count("A change")).RetryAfterSeconds);
        time.Advance(TimeSpan.FromSeconds(1));
        rate.Count("A change");
    }

    [Theory]
    [InlineData("leaves")]
    [InlineData("ends")]
    [InlineData("fails")]
    public async Task No_id_is_left_of_a_client_that(string ends)
    {
        var executor = Scripts.Endless();
        if (ends == "fails")
            executor.ReadoutError = readout => readout.Sampling!.Value.History.Length >= 12 ? "logits are not finite" : null;
        await using var server = await ServerFixture.StartAsync(executor);
        var json = ends == "ends" ? """{"prompt":"a","stream":true,"max_tokens":20}""" : Streamed + "}";
        string id;
        using (var stream = await OpenStream.StartAsync(server, json))
        {
            id = stream.Id;
            if (ends != "leaves")
                while (await stream.NextAsync() is not null) continue;
        }
        await ServerFixture.EventuallyAsync(() => Registered(server) == 0);
        Assert.Equal(404, (await ChangeAsync(server, id, """{"alignment_strength":1}""")).Status);
    }

    [Fact]
    public async Task A_response_in_one_piece_has_no_id()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("x"));
        var reply = await server.CompleteAsync("""{"prompt":"a"}""");
        Assert.False(reply.Headers.ContainsKey("x-generation-id"));
        Assert.DoesNotContain("generation_id", reply.Body, StringComparison.Ordinal);
    }

    /// <summary>The server's own lines; of the framework's it shows none below a warning, and its scopes not at all.</summary>
    private sealed class OwnLines(LogCollector lines) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("DeRa", StringComparison.Ordinal) ? lines : NullLogger.Instance;

        public void Dispose() => lines.Dispose();
    }

    [Fact]
    public async Task The_id_is_in_no_log_line_and_on_no_span()
    {
        var spans = new List<Activity>();
        using var lines = new LogCollector();
        string id;
        var provider = Sdk.CreateTracerProviderBuilder().AddSource(TelemetrySetup.RequestSource).AddInMemoryExporter(spans).Build();
        await using (var server = await ServerFixture.StartAsync(Scripts.Endless(), logs: new OwnLines(lines)))
        {
            using var stream = await OpenStream.StartAsync(server, Streamed + "}");
            id = stream.Id;
            await ChangeAsync(server, id, """{"alignment_strength":11}""");
            await server.GetAsync(PathOf(id));
            await server.GetAsync(PathOf(id) + "/more");
            await server.SendAsync(HttpMethod.Post, PathOf(id).ToUpperInvariant(), json: """{"alignment_strength":1}""");
            await ChangeAsync(server, id, """{"stop":true}""");
            while (await stream.NextAsync() is not null) continue;
            await ChangeAsync(server, id, """{"alignment_strength":1}""");
            await ServerFixture.EventuallyAsync(() => lines.Entries.Count(line => line.Event == "Request") == 7);
            await server.StopAsync();
        }
        provider.Dispose();
        var told = string.Join('\n', lines.Entries.SelectMany(line => line.Fields.Select(field => $"{field.Value}"))
            .Concat(lines.Lines).Concat(spans.SelectMany(span => span.TagObjects.Select(tag => $"{tag.Value}")))
            .Concat(spans.Select(span => span.DisplayName)));
        Assert.Contains("/v1/realignment/generations/{id}", told, StringComparison.Ordinal);
        Assert.DoesNotContain(id, told, StringComparison.OrdinalIgnoreCase);
    }
}
