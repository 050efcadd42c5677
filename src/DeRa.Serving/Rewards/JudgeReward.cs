using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>
/// Scores by a chat model behind an OpenAI-compatible server: it is asked by a rubric, greedily, and the last number that it writes is
/// the score. <see cref="DefaultConcurrency"/> completions are under way at once unless settings say
/// otherwise.
/// </summary>
internal sealed class JudgeReward : IReward
{
    /// <summary>What is asked where no other rubric is given.</summary>
    public const string DefaultRubric = """
        Rate how good the response to the prompt is, from 1 (useless) to 10 (could not be better). Reply with one number and nothing else.

        [Prompt]
        {prompt}

        [Response]
        {completion}

        [Your number]
        """;

    /// <summary>Requests at once.</summary>
    public const int DefaultConcurrency = 8;

    private const int MaxTokens = 512;

    private readonly string _model, _rubric;
    private readonly JsonPost _post;
    private readonly int _concurrency;

    /// <param name="text">The address, such as <c>http://localhost:8000/v1</c>, with the model's name as its fragment.</param>
    /// <param name="settings">The rubric, the key, and how long to wait.</param>
    /// <exception cref="RewardException">There is no address, or the rubric has no place for the completion.</exception>
    public JudgeReward(string text, RewardSettings settings)
    {
        Name = "judge:" + text;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address.Host.Length == 0)
            throw new RewardException($"reward '{Name}' has no whole address, e.g. judge:http://localhost:8000/v1#model");
        _model = Uri.UnescapeDataString(address.Fragment.TrimStart('#'));
        _rubric = settings.Rubric ?? DefaultRubric;
        if (!_rubric.Contains("{completion}", StringComparison.Ordinal))
            throw new RewardException("reward judge: the rubric must say {completion} where the completion belongs, and may say {prompt}");
        _concurrency = settings.Concurrency ?? DefaultConcurrency;
        var path = address.GetLeftPart(UriPartial.Path).TrimEnd('/');
        var whole = path.EndsWith("/chat/completions", StringComparison.Ordinal) ? path : path + "/chat/completions";
        _post = new JsonPost(Name, new Uri(whole + address.Query), settings);
    }

    public string Name { get; }

    public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation) =>
        RewardScore.OfEachAsync(completions, _concurrency, ScoreAsync, cancellation);

    public void Dispose() => _post.Dispose();

    private async Task<RewardScore> ScoreAsync(Completion completion, CancellationToken cancellation)
    {
        var question = string.Join(completion.Text, _rubric.Split("{completion}")
            .Select(part => part.Replace("{prompt}", completion.Prompt, StringComparison.Ordinal)));
        try
        {
            var response = await _post.SendAsync(Body(question), retry: true, cancellation);
            var text = Content(response) ?? throw _post.Failure(
                $"the response has no choices[0].message.content: {JsonPost.Excerpt(response.GetRawText())}", hasResponded: true);
            return NumberText.Last(text) is { } score ? RewardScore.Of(score)
                : throw _post.Failure($"there is no number in: {JsonPost.Excerpt(text)}", hasResponded: true);
        }
        catch (PostException exception)
        {
            return RewardScore.Failed(exception.Message);
        }
    }

    private Dictionary<string, object> Body(string question)
    {
        var body = new Dictionary<string, object>
        {
            ["messages"] = new[] { new { role = "user", content = question } },
            ["temperature"] = 0,
            ["max_tokens"] = MaxTokens,
        };
        if (_model.Length > 0) body["model"] = _model;
        return body;
    }

    private static string? Content(JsonElement response) =>
        response.ValueKind == JsonValueKind.Object && response.TryGetProperty("choices", out var choices)
        && choices is { ValueKind: JsonValueKind.Array } && choices.GetArrayLength() > 0
        && choices[0] is { ValueKind: JsonValueKind.Object } choice && choice.TryGetProperty("message", out var message)
        && message.ValueKind == JsonValueKind.Object && message.TryGetProperty("content", out var content)
        && content.ValueKind == JsonValueKind.String
            ? content.GetString() : null;
}
