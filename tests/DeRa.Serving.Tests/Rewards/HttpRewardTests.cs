using DeRa.Serving.Rewards;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class HttpRewardTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Completions_are_posted_together_and_scores_come_back_in_order()
    {
        using var server = new ScoringServer((200, """{"scores": [0.5, -1]}"""));
        using var reward = Reward(server);

        var scores = await reward.ScoreAsync([new("p", "c", 3, true), new("q", "d", 4, false)], Cancellation);

        Assert.Equal([.5, -1], scores.Select(score => score.Required()));
        Assert.Equal(server.Received[0].Length, server.ContentLength);
        Assert.Equal(
            """{"completions":[{"prompt":"p","completion":"c","tokens":3,"finished":true},"""
                + """{"prompt":"q","completion":"d","tokens":4,"finished":false}]}""",
            Assert.Single(server.Received));
    }

    [Fact]
    public async Task A_busy_or_failing_server_is_asked_again()
    {
        using var server = new ScoringServer((429, ""), (503, ""), (500, ""), (200, """{"scores": [1]}"""));
        using var reward = Reward(server);
        Assert.Equal([RewardScore.Of(1)], await reward.ScoreAsync([new("p", "c", 3, true)], Cancellation));
        Assert.Equal(4, server.Received.Count);
    }

    [Theory]
    [InlineData(400, "no such model", "status 400: no such model", 1)]
    [InlineData(503, "loading", "status 503: loading", 5)]
    [InlineData(200, """{"scores": [1, 2]}""", "2 scores for 1 completions", 1)]
    [InlineData(200, """{"scores": []}""", "0 scores for 1 completions", 1)]
    [InlineData(200, """{"scores": [1e999]}""", "score 0 of 1 is not a finite number", 1)]
    [InlineData(200, """{"scores": [NaN]}""", "score 0 of 1 is not a finite number", 1)]
    [InlineData(200, """{"scores": ["NaN"]}""", "score 0 of 1 is not a finite number", 1)]
    [InlineData(200, """{"score": 1}""", "is not {\"scores\": [number, …]}", 1)]
    [InlineData(200, "<html>", "is not JSON: <html>", 1)]
    public async Task What_goes_wrong_is_said(int status, string body, string expected, int requests)
    {
        using var server = new ScoringServer((status, body));
        using var reward = Reward(server);
        var error = await ErrorOf(reward);
        Assert.StartsWith($"reward {server.Address}: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(requests, server.Received.Count);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        Uri address;
        using (var server = new ScoringServer()) address = server.Address;
        using var reward = new HttpReward(address, Settings(Long));
        Assert.StartsWith($"reward {address}: ", await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        using var server = new ScoringServer();
        using var reward = new HttpReward(server.Address, Settings(TimeSpan.FromSeconds(.5)));
        Assert.Contains("no answer within 0.5 s", await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_is_not_called_a_timeout()
    {
        using var server = new ScoringServer();
        using var reward = Reward(server);
        using var cancellation = new CancellationTokenSource();
        var scoring = reward.ScoreAsync([new("p", "c", 3, true)], cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scoring);
    }

    [Theory]
    [InlineData("pooling", """{"input":["pc","qd"]}""", """{"data":[{"index":1,"data":[[9],[-2]]},{"index":0,"data":[0.5]}]}""")]
    [InlineData("get_reward", """{"query":["pc","qd"],"prompts":["p","q"],"labels":[null,{"a":1}]}""", """{"rewards":[[0.5],-2]}""")]
    [InlineData("score#plain", """{"prompts":["p","q"],"completions":["c","d"]}""", """{"scores":[0.5,-2]}""")]
    [InlineData("score#plain", """{"prompts":["p","q"],"completions":["c","d"]}""", "[0.5,-2]")]
    [InlineData("score#pooling", """{"input":["pc","qd"]}""", """{"data":[{"data":0.5},{"data":-2}]}""")]
    public async Task Other_servers_forms_are_known_by_path_or_fragment(string path, string body, string response)
    {
        using var server = new ScoringServer((200, response));
        using var reward = RewardSpec.Parse(new Uri(server.Root, path).ToString());
        using var item = System.Text.Json.JsonDocument.Parse("""{"a":1}""");

        var scores = await reward.ScoreAsync(
            [new("p", "c", 3, true), new("q", "d", 4, false) { Item = item.RootElement }], Cancellation);

        Assert.Equal([.5, -2], scores.Select(score => score.Required()));
        Assert.Equal(body, Assert.Single(server.Received));
        Assert.Equal("/" + path.Split('#')[0], Assert.Single(server.Paths));
    }

    [Fact]
    public void An_unknown_form_is_refused_with_those_there_are() =>
        Assert.Contains("#batch is none of #completions, #plain, #pooling, #get_reward",
            Assert.Throws<RewardException>(() => RewardSpec.Parse("http://localhost/score#batch")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task One_completion_that_a_server_cannot_score_does_not_fail_the_others()
    {
        using var server = new ScoringServer(body => body.Contains("bad", StringComparison.Ordinal) ? "no" : Scores(body, "1"));
        using var reward = Reward(server);
        Completion[] completions = [.. Enumerable.Range(0, 150).Select(i => new Completion("p", i == 70 ? "bad" : "good", 1, true))];

        var scores = await reward.ScoreAsync(completions, Cancellation);

        Assert.Contains("is not JSON", scores[70].Error, StringComparison.Ordinal);
        Assert.Equal(149, scores.Count(score => score.Value == 1));
        Assert.InRange(server.Received.Count, 3, 20);
    }

    [Fact]
    public async Task Python_s_NaN_is_the_fault_of_its_completion_alone()
    {
        using var server = new ScoringServer((200, """{"note": "NaN \" NaN", "scores": [1, NaN, -Infinity, 2]}"""));
        using var reward = Reward(server);
        var scores = await reward.ScoreAsync([.. Enumerable.Repeat(new Completion("p", "c", 1, true), 4)], Cancellation);
        Assert.Equal([1, null, null, 2], scores.Select(score => score.Value));
        Assert.Contains("score 1 of 4 is not a finite number", scores[1].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_response_of_ten_megabytes_is_refused_at_once()
    {
        using var server = new ScoringServer((200, new string(' ', 10_000_000)));
        using var reward = Reward(server);
        Assert.Contains("more than 4194304 bytes", await ErrorOf(reward), StringComparison.Ordinal);
        Assert.Single(server.Received);
    }

    private static string Scores(string body, string score) =>
        $$"""{"scores": [{{string.Join(',', Enumerable.Repeat(score, body.Split("\"prompt\"").Length - 1))}}]}""";

    private static HttpReward Reward(ScoringServer server) => new(server.Address, Settings(Long));

    private static RewardSettings Settings(TimeSpan timeout) => new() { Timeout = timeout, FirstRetryDelay = TimeSpan.Zero };

    private static async Task<string> ErrorOf(HttpReward reward) =>
        Assert.Single(await reward.ScoreAsync([new("p", "c", 3, true)], Cancellation)).Error!;
}
