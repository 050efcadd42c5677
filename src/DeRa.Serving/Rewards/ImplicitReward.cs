using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Rewards;

/// <summary>
/// The pair's own reward: log π_aligned − log π_reference of the completion's tokens, in nats. Times β it is DPO's implicit reward
/// (arXiv 2305.18290, eq. 5); with several aligned models it is the first's.
/// </summary>
/// <param name="pair">The pair; not disposed.</param>
internal sealed class ImplicitReward(ServedPair pair) : IReward
{
    /// <summary>Completions whose scoring is asked for at once.</summary>
    public const int Concurrency = 16;

    private readonly ScoringService _scoring = new(pair);

    public string Name => "implicit";

    public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation) =>
        RewardScore.OfEachAsync(completions, Concurrency, ScoreAsync, cancellation);

    private async Task<RewardScore> ScoreAsync(Completion completion, CancellationToken cancellation)
    {
        try
        {
            var prepared = _scoring.Prepare(new ScoreInput
            {
                Items = [ItemOf(completion)],
                Sweep = [new SweepStrength(pair.Validator.Limits.MinStrength, null, "implicit")],
                CacheSalt = completion.Sequence?.CacheSalt,
            });
            if (completion.Sequence?.Client is { } client)
                prepared = prepared with { Items = [.. prepared.Items.Select(item => item with { Client = client })] };
            var scores = (await _scoring.RunAsync(prepared, cancellation))[0];
            return RewardScore.Of(scores.LogProbOfModel(1) - scores.LogProbOfModel(0));
        }
        catch (Exception exception) when (exception is InvalidRequestException or AdmissionException or GenerationFailedException
            or DeadlineExceededException)
        {
            return RewardScore.Failed($"reward implicit: {exception.Message}");
        }
    }

    private static ScoreItem ItemOf(Completion completion) => completion.Sequence is { } sequence
        ? new ScoreItem(new TokenPrompt(sequence.Prompt, "prompt"), new TokenPrompt(sequence.Generated, "completion"), "completion")
        : new ScoreItem(new TextPrompt(completion.Prompt, "prompt"), new TextPrompt(completion.Text, "completion"), "completion");
}
