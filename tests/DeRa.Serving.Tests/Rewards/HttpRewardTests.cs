using System.Net;
using System.Text;
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

        Assert.Equal([.5, -1], scores);
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
        Assert.Equal([1], await reward.ScoreAsync([new("p", "c", 3, true)], Cancellation));
        Assert.Equal(4, server.Received.Count);
    }

    [Theory]
    [InlineData(400, "no such model", "status 400: no such model", 1)]
    [InlineData(503, "loading", "status 503: loading", 5)]
    [InlineData(200, """{"scores": [1, 2]}""", "2 scores for 1 completions", 1)]
    [InlineData(200, """{"scores": [1e999]}""", "scores[0] is not a finite number", 1)]
    [InlineData(200, """{"scores": ["NaN"]}""", "is not {\"scores\": [number, …]}: {\"scores\": [\"NaN\"]}", 1)]
    [InlineData(200, """{"score": 1}""", "is not {\"scores\": [number, …]}", 1)]
    [InlineData(200, "<html>", "is not {\"scores\": [number, …]}: <html>", 1)]
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
        using var reward = new HttpReward(address, Long, TimeSpan.Zero);
        Assert.StartsWith($"reward {address}: ", await ErrorOf(reward), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up()
    {
        using var server = new ScoringServer();
        using var reward = new HttpReward(server.Address, TimeSpan.FromSeconds(.5), TimeSpan.Zero);
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

    private static HttpReward Reward(ScoringServer server) => new(server.Address, Long, TimeSpan.Zero);

    private static async Task<string> ErrorOf(HttpReward reward) =>
        (await Assert.ThrowsAsync<RewardException>(async () => await reward.ScoreAsync([new("p", "c", 3, true)], Cancellation))).Message;

    /// <summary>Gives the answers one after the other and stays with the last; with none it never answers.</summary>
    private sealed class ScoringServer : IDisposable
    {
        private readonly HttpListener _listener;
        private readonly (int Status, string Body)[] _answers;

        public ScoringServer(params (int Status, string Body)[] answers)
        {
            _answers = answers;
            (_listener, Address) = Listen();
            _ = ServeAsync();
        }

        public Uri Address { get; }

        public List<string> Received { get; } = [];

        public void Dispose() => _listener.Close();

        // A port is free until another program takes it between the choice and the listening.
        private static (HttpListener, Uri) Listen()
        {
            for (var attempt = 0; ; attempt++)
            {
                var address = new Uri($"http://localhost:{Random.Shared.Next(20000, 60000)}/score/");
                var listener = new HttpListener { Prefixes = { address.ToString() } };
                try
                {
                    listener.Start();
                    return (listener, address);
                }
                catch (HttpListenerException) when (attempt < 20)
                {
                    listener.Close();
                }
            }
        }

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                Received.Add(await reader.ReadToEndAsync(Cancellation));
                if (_answers.Length == 0) continue;
                var (status, body) = _answers[Math.Min(Received.Count, _answers.Length) - 1];
                context.Response.StatusCode = status;
                context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: true);
            }
        }
    }
}
