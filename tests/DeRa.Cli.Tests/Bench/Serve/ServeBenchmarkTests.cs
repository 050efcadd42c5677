using System.Text.Json.Nodes;
using DeRa.Cli.Bench.Serve;
using Xunit;
using static DeRa.Cli.Tests.Bench.Serve.ScriptedServer;

namespace DeRa.Cli.Tests.Bench.Serve;

public class ServeBenchmarkTests
{
    private const string Role = """{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}""";

    [Fact]
    public async Task A_turn_holds_the_system_prompt_and_all_turns_and_replies_before_it()
    {
        await using var server = await StartAsync((context, number) =>
            StreamAsync(context, Role, Piece($"reply {number}"), Piece(" ends"), "[DONE]"));
        var report = await RunAsync(server, options => options with { Turns = 3, Requests = 3, SystemWords = 5 });

        var last = server.Requests[2]["messages"]!.AsArray();
        Assert.Equal(["system", "user", "assistant", "user", "assistant", "user"], last.Select(message => (string)message!["role"]!));
        Assert.Equal(["reply 0 ends", "reply 1 ends"],
            last.Where(message => (string)message!["role"]! == "assistant").Select(message => (string)message!["content"]!));
        Assert.Equal(5, ((string)last[0]!["content"]!).Split(' ').Length);
        foreach (var earlier in server.Requests.Take(2).Select(request => request["messages"]!.AsArray()))
            Assert.Equal(Texts(earlier), Texts(last).Take(earlier.Count));
        Assert.Equal((3, 0, 1), (report.Requests, report.Failed, report.CompletedConversations));
    }

    [Fact]
    public async Task Each_client_keeps_its_connection_and_conversations_have_the_strengths_in_turn()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Piece("a"), "[DONE]"));
        await RunAsync(server, options => options with { Requests = 5, Turns = 2, Strengths = [0, 1.5] });

        Assert.Single(server.Connections);
        Assert.Equal([0, 0, 1.5, 1.5, 0, 0], server.Requests.Select(request => (double)request["alignment_strength"]!));
    }

    [Fact]
    public async Task What_is_not_given_is_not_sent()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Piece("a"), "[DONE]"));
        await RunAsync(server, options => options with { SystemWords = 0 });
        await RunAsync(server, options => options with { MaxTokens = 9, Strengths = [2], IgnoreEos = true }, model: "pair", key: "secret");

        Assert.Equal(["messages", "stream", "stream_options"], server.Requests[0].Select(field => field.Key));
        Assert.Equal(["model", "messages", "max_tokens", "ignore_eos", "alignment_strength", "stream", "stream_options"],
            server.Requests[1].Select(field => field.Key));
        Assert.Equal(["", "Bearer secret"], server.Authorizations);
        Assert.Equal(["user"], server.Requests[0]["messages"]!.AsArray().Select(message => (string)message!["role"]!));
    }

    [Fact]
    public async Task Tokens_are_those_that_the_server_counts()
    {
        const string usage = """
            {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 30}}}
            """;
        await using var server = await StartAsync((context, _) =>
            StreamAsync(context, Role, Piece("a"), Piece("b"), usage, "[DONE]"));
        var report = await RunAsync(server, options => options with { Requests = 4 });

        Assert.Equal(28, report.OutputTokens);
        Assert.Equal(400, report.PromptTokens);
        Assert.Equal(.3, report.CachedShare!.Value, 6);
        Assert.Equal((4, 4, 4), (report.FirstToken!.Count, report.BetweenTokens!.Count, report.WholeRequest!.Count));
    }

    [Fact]
    public async Task Where_the_server_does_not_count_pieces_of_text_are_counted()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Role, Piece("a"), Piece("b"), Piece("c"), "[DONE]"));
        var report = await RunAsync(server, options => options);

        Assert.Equal(3, report.OutputTokens);
        Assert.Null(report.CachedShare);
    }

    [Fact]
    public async Task Failures_are_told_by_kind()
    {
        await using var server = await StartAsync((context, number) => number switch
        {
            0 => RefuseAsync(context, 503, """{"code": "queue_full", "type": "server_error"}"""),
            1 => RefuseAsync(context, 500, """{"code": 500, "type": "server_error"}"""),
            2 => StreamAsync(context, Piece("a"), """{"error": {"code": "fault"}}"""),
            3 => StreamAsync(context, Piece("a")),
            _ => RefuseAsync(context, 400, """{"code": "context_length_exceeded"}"""),
        });
        var report = await RunAsync(server, options => options with { Concurrency = 5, Requests = 5 });

        Assert.Equal(
            ["HTTP 400 context_length_exceeded", "HTTP 500 server_error", "HTTP 503 queue_full", "error in the stream: fault",
                "stream: ended without [DONE]"],
            report.Failures.Where(failure => failure.Value == 1).Select(failure => failure.Key).Order(StringComparer.Ordinal));
        Assert.Equal((5, 5, 0), (report.Requests, report.Failed, report.CompletedConversations));
    }

    [Fact]
    public async Task A_conversation_that_grows_too_long_ends_without_a_failure()
    {
        await using var server = await StartAsync((context, number) => number == 0
            ? StreamAsync(context, Piece("a"), "[DONE]")
            : RefuseAsync(context, 400, """{"code": 400, "message": "the maximum context length is 8"}"""));
        var report = await RunAsync(server, options => options with { Turns = 4 });

        Assert.Equal((1, 0, 1, 0),
            (report.Requests, report.Failed, report.OutgrownConversations, report.CompletedConversations));
    }

    [Fact]
    public async Task What_is_under_way_at_the_end_is_interrupted_and_its_tokens_count()
    {
        await using var server = await StartAsync(async (context, _) =>
        {
            await StreamAsync(context, Piece("a"), Piece("b"));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var report = await RunAsync(server, options => options with { Concurrency = 2, Seconds = 1, Requests = null });

        Assert.Equal((0, 2, 0), (report.Requests, report.Interrupted, report.Failed));
        Assert.Equal(4, report.OutputTokens);
        Assert.Equal(2, report.FirstToken!.Count);
        Assert.Null(report.WholeRequest);
    }

    [Fact]
    public async Task Completions_have_a_prompt_and_their_text_is_read()
    {
        const string usage = """{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}}""";
        await using var server = await StartAsync((context, _) =>
            StreamAsync(context, """{"choices": [{"text": "a"}]}""", """{"choices": [{"text": "b"}]}""", usage, "[DONE]"));
        var report = await RunAsync(server, options => options with { SystemWords = 0, Requests = 2 }, isChat: false);

        Assert.Equal(["prompt", "stream", "stream_options"], server.Requests[0].Select(field => field.Key));
        Assert.Equal(["/v1/completions", "/v1/completions"], server.Paths);
        Assert.Equal((2, 6L, 2, 2), (report.Completed, report.OutputTokens, report.BetweenTokens!.Count, report.PerToken!.Count));
    }

    [Fact]
    public async Task Requests_begin_alike_as_far_as_they_are_asked_to_and_runs_do_not()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Piece("a"), "[DONE]"));
        for (var run = 0; run < 2; run++)
            await RunAsync(server, options => options with { SystemWords = 0, Requests = 2, PromptWords = 40, SharedWords = 30 });

        var texts = server.Requests.Select(request => ((string)request["messages"]![0]!["content"]!).Split(' ')).ToList();
        Assert.All(texts, words => Assert.Equal(40, words.Length));
        Assert.Equal(texts[0][..30], texts[1][..30]);
        Assert.NotEqual(texts[0][30..], texts[1][30..]);
        Assert.NotEqual(texts[0][..30], texts[2][..30]);
    }

    [Fact]
    public async Task An_open_loop_does_not_wait_for_earlier_requests()
    {
        var (open, all) = (0, new TaskCompletionSource());
        await using var server = await StartAsync(async (context, _) =>
        {
            if (Interlocked.Increment(ref open) == 5) all.SetResult();
            await all.Task.WaitAsync(context.RequestAborted);
            await StreamAsync(context, Piece("a"), "[DONE]");
        });
        var report = await RunAsync(server, options => options with { Concurrency = null, Rate = 1000, Requests = 5 });

        Assert.Equal((5, 0), (report.Completed, report.Failed));
    }

    [Fact]
    public async Task Requests_that_meet_every_bound_are_counted()
    {
        await using var server = await StartAsync((context, number) => number == 1
            ? RefuseAsync(context, 500, """{"code": "fault"}""") : StreamAsync(context, Piece("a"), Piece("b"), "[DONE]"));
        var generous = await RunAsync(server, options => options with { Requests = 2, Goodput = new Goodput(1e6, 1e6, 1e6) });
        var strict = await RunAsync(server, options => options with { Goodput = new Goodput(1e6, null, 1e-6) });

        Assert.Equal((2, 1), (generous.Requests, generous.GoodRequests));
        Assert.Equal((1, 0), (strict.Requests, strict.GoodRequests));
    }

    private static IEnumerable<string> Texts(JsonArray messages) => messages.Select(message => message!.ToJsonString());

    private static Task<ServeReport> RunAsync(ScriptedServer server, Func<ServeOptions, ServeOptions> with, bool isChat = true,
        string? model = null, string? key = null) => ServeBenchmark.RunAsync(
        new ServeTarget(server.Address, isChat, model, key),
        with(new ServeOptions
        {
            Concurrency = 1,
            PromptWords = 12,
            SystemWords = 3,
            Requests = 1,
        }), TextWriter.Null, TestContext.Current.CancellationToken);
}
