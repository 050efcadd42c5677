namespace DeRa.Serving.Rewards;

/// <summary>
/// Scores by a server, in one of the forms of <see cref="ScoringForm"/>: batches of <see cref="BatchSize"/> completions, of which
/// <see cref="DefaultConcurrency"/> are under way at once unless settings say otherwise. A batch for which a server gives nothing usable
/// is halved, once it has responded, so that one completion's fault is not the others'.
/// </summary>
internal sealed class HttpReward : IReward
{
    /// <summary>Completions of one request at most.</summary>
    public const int BatchSize = 64;

    /// <summary>Requests at once.</summary>
    public const int DefaultConcurrency = 4;

    private readonly ScoringForm _form;
    private readonly JsonPost _post;
    private readonly int _concurrency;

    /// <param name="address">An http or https address; its fragment names the form and is not sent.</param>
    /// <param name="settings">How long to wait.</param>
    /// <exception cref="RewardException">The fragment is no form.</exception>
    public HttpReward(Uri address, RewardSettings settings)
    {
        Name = address.ToString();
        _form = ScoringForm.Of(address);
        _concurrency = settings.Concurrency ?? DefaultConcurrency;
        _post = new JsonPost(Name, address, settings);
    }

    public string Name { get; }

    public async ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(
        IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        var scores = new RewardScore[completions.Count];
        var batches = Enumerable.Range(0, (scores.Length + BatchSize - 1) / BatchSize).Select(batch => batch * BatchSize);
        await Parallel.ForEachAsync(batches,
            new ParallelOptions { MaxDegreeOfParallelism = _concurrency, CancellationToken = cancellation },
            async (first, token) => await ScoreAsync(completions, scores, first..Math.Min(first + BatchSize, scores.Length), true, token));
        return scores;
    }

    public void Dispose() => _post.Dispose();

    private async Task ScoreAsync(IReadOnlyList<Completion> completions, RewardScore[] scores, Range range, bool retry,
        CancellationToken cancellation)
    {
        var (first, count) = range.GetOffsetAndLength(scores.Length);
        try
        {
            Completion[] batch = [.. completions.Skip(first).Take(count)];
            var response = await _post.SendAsync(_form.Body(batch), retry, cancellation);
            Read(response, scores.AsSpan(first, count));
        }
        catch (PostException exception) when (exception.HasResponded && count > 1)
        {
            var middle = first + count / 2;
            await ScoreAsync(completions, scores, first..middle, false, cancellation);
            await ScoreAsync(completions, scores, middle..(first + count), false, cancellation);
        }
        catch (PostException exception)
        {
            scores.AsSpan(first, count).Fill(RewardScore.Failed(exception.Message));
        }
    }

    private void Read(System.Text.Json.JsonElement response, Span<RewardScore> scores)
    {
        var found = _form.Scores(response)?.ToArray() ?? throw _post.Failure(
            $"the response is not {_form.Response}: {JsonPost.Excerpt(response.GetRawText())}", hasResponded: true);
        if (found.Length != scores.Length)
            throw _post.Failure($"{found.Length} scores for {scores.Length} completions", hasResponded: true);
        for (var i = 0; i < found.Length; i++)
            scores[i] = ScoreLine.Number(found[i]) is { } score ? RewardScore.Of(score)
                : RewardScore.Failed(_post.Failure($"score {i} of {found.Length} is not a finite number", hasResponded: true).Message);
    }
}
