using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Polly;
using Polly.Retry;

namespace DeRa.Lab.Rewards;

/// <summary>
/// Scores by a POST of {"completions": [{"prompt", "completion", "tokens", "finished"}, …]}, answered by {"scores": [0.5, …]}.
/// Statuses 429 and 5xx and failed connections are tried again.
/// </summary>
internal sealed class HttpReward : IReward
{
    private const int Retries = 4;
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly HttpClient _client;
    private readonly ResiliencePipeline<HttpResponseMessage> _attempts;

    /// <param name="address">An http or https address.</param>
    /// <param name="timeout">The longest wait for one answer.</param>
    /// <param name="firstDelay">How long the first retry waits; each next waits twice as long.</param>
    public HttpReward(Uri address, TimeSpan timeout, TimeSpan firstDelay)
    {
        Name = address.ToString();
        _client = new HttpClient { BaseAddress = address, Timeout = timeout };
        _attempts = new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = Retries,
            Delay = firstDelay,
            BackoffType = DelayBackoffType.Exponential,
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>().HandleResult(MayPass),
        }).Build();
    }

    public string Name { get; }

    public async ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken)
    {
        try
        {
            var body = new { completions = completions.Select(ScoreLine.Of) };
            using var response = await _attempts.ExecuteAsync(
                async token => await _client.PostAsJsonAsync("", body, token), cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? Read(text, completions.Count)
                : throw Failure($"status {(int)response.StatusCode}: {Excerpt(text)}");
        }
        catch (HttpRequestException exception)
        {
            throw Failure(exception.Message, exception);
        }
        catch (TaskCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"no answer within {_client.Timeout.TotalSeconds} s", exception);
        }
    }

    public void Dispose() => _client.Dispose();

    private static bool MayPass(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500;

    private double[] Read(string text, int expected)
    {
        var scores = ParseScores(text) ?? throw Failure($"the answer is not {{\"scores\": [number, …]}}: {Excerpt(text)}");
        if (scores.Length != expected) throw Failure($"{scores.Length} scores for {expected} completions");
        var bad = Array.FindIndex(scores, score => !double.IsFinite(score));
        return bad < 0 ? scores : throw Failure($"scores[{bad}] is not a finite number");
    }

    private static double[]? ParseScores(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Response>(text, JsonOptions)?.Scores;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private RewardException Failure(string what, Exception? inner = null) => new($"reward {Name}: {what}", inner);

    private static string Excerpt(string text) => text.Length <= 200 ? text : text[..200] + "…";

    private sealed record Response(double[]? Scores);
}
