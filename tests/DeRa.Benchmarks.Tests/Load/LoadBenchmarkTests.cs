using System.Text.Json.Nodes;
using DeRa.Benchmarks.Load;
using Xunit;
using static DeRa.Benchmarks.Tests.Load.ScriptedChatServer;

namespace DeRa.Benchmarks.Tests.Load;

public class LoadBenchmarkTests
{
    private const string Role = """{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}""";

    [Fact]
    public async Task A_turn_holds_the_system_prompt_and_all_turns_and_replies_before_it()
    {
        await using var server = await StartAsync((context, number) =>
            StreamAsync(context, Role, Piece($"reply {number}"), Piece(" ends"), "[DONE]"));
        var report = await RunAsync(server, options => options with { Turns = 3, SystemWords = 5 });

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
        await RunAsync(server, options => options with { Clients = 1, Conversations = 3, Turns = 2, Strengths = [0, 1.5] });

        Assert.Single(server.Connections);
        Assert.Equal([0, 0, 1.5, 1.5, 0, 0], server.Requests.Select(request => (double)request["alignment_strength"]!));
    }

    [Fact]
    public async Task What_is_not_given_is_not_sent()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Piece("a"), "[DONE]"));
        await RunAsync(server, options => options with { SystemWords = 0 });
        await RunAsync(server, options => options with { MaxTokens = 9, Model = "pair", Strengths = [2] });

        Assert.Equal(["messages", "stream", "stream_options"], server.Requests[0].Select(field => field.Key));
        Assert.Equal(["model", "messages", "max_tokens", "alignment_strength", "stream", "stream_options"],
            server.Requests[1].Select(field => field.Key));
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
        var report = await RunAsync(server, options => options with { Conversations = 4 });

        Assert.Equal(28, report.OutputTokensPerSecond * report.Seconds, 6);
        Assert.Equal(400, report.PromptTokensPerSecond * report.Seconds, 6);
        Assert.Equal(.3, report.CachedShare!.Value, 6);
        Assert.Equal((4, 4, 4), (report.FirstToken!.Count, report.BetweenTokens!.Count, report.WholeRequest!.Count));
    }

    [Fact]
    public async Task Where_the_server_does_not_count_pieces_of_text_are_counted()
    {
        await using var server = await StartAsync((context, _) => StreamAsync(context, Role, Piece("a"), Piece("b"), Piece("c"), "[DONE]"));
        var report = await RunAsync(server, options => options);

        Assert.Equal(3, report.OutputTokensPerSecond * report.Seconds, 6);
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
        var report = await RunAsync(server, options => options with { Clients = 5, Conversations = 5 });

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
    public async Task What_is_under_way_at_the_end_is_cut_off_and_its_tokens_count()
    {
        await using var server = await StartAsync(async (context, _) =>
        {
            await StreamAsync(context, Piece("a"), Piece("b"));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var report = await RunAsync(server, options => options with { Clients = 2, Seconds = 1, Conversations = null });

        Assert.Equal((0, 2, 0), (report.Requests, report.CutOff, report.Failed));
        Assert.Equal(4, report.OutputTokensPerSecond * report.Seconds, 6);
        Assert.Equal(2, report.FirstToken!.Count);
        Assert.Null(report.WholeRequest);
    }

    private static IEnumerable<string> Texts(JsonArray messages) => messages.Select(message => message!.ToJsonString());

    private static Task<LoadReport> RunAsync(ScriptedChatServer server, Func<LoadOptions, LoadOptions> with) => LoadBenchmark.RunAsync(
        with(new LoadOptions
        {
            Server = server.Address,
            Clients = 1,
            Turns = 1,
            MaxTokens = 0,
            Strengths = [],
            SystemWords = 3,
            Conversations = 1,
        }), TextWriter.Null, TestContext.Current.CancellationToken);
}
