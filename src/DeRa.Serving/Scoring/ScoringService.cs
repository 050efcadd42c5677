using DeRa.Engine;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Serving.Scoring;

/// <summary>The application's entry point for requests that score texts at many strengths. Immutable; any thread.</summary>
/// <param name="pair">What serves the requests.</param>
public sealed class ScoringService(ServedPair pair)
{
    private readonly ScoreValidator _validator = new(pair.Tokenizer, pair.Validator.Context);

    /// <summary>Checks and encodes a request. Takes time in proportion to its texts.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedScores Prepare(ScoreInput input) => _validator.Prepare(input);

    /// <summary>Scores all items; each model runs each of them once.</summary>
    /// <param name="prepared">What <see cref="Prepare"/> gave.</param>
    /// <param name="cancellation">Stops it; what still runs is cancelled.</param>
    /// <returns>One an item, in their order.</returns>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    /// <exception cref="GenerationFailedException">An item failed; the others are cancelled.</exception>
    /// <exception cref="DeadlineExceededException">The request's deadline passed.</exception>
    public async Task<IReadOnlyList<ItemScores>> RunAsync(PreparedScores prepared, CancellationToken cancellation)
    {
        using var expiry = prepared.Deadline is { } deadline ? new CancellationTokenSource(deadline, pair.Engine.Time) : null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, expiry?.Token ?? CancellationToken.None);
        var (handles, scores) = (new List<GenerationHandle>(), new List<ItemScores>());
        try
        {
            foreach (var item in prepared.Items) handles.AddRange(pair.Engine.Submit([item]));
            foreach (var handle in handles) scores.Add(await ReadAsync(handle, either.Token));
            return scores;
        }
        catch (OperationCanceledException) when (expiry is { IsCancellationRequested: true } && !cancellation.IsCancellationRequested)
        {
            throw new DeadlineExceededException(prepared.Deadline!.Value);
        }
        finally
        {
            foreach (var left in handles.Skip(scores.Count))
            {
                left.Cancel();
                left.CountFinish(FinishReason.Cancelled);
            }
        }
    }

    private static async Task<ItemScores> ReadAsync(GenerationHandle handle, CancellationToken cancellation)
    {
        ItemScores? scores = null;
        try
        {
            await foreach (var happened in handle.Events.ReadAllAsync(cancellation))
                if (happened is StrengthsScored scored) scores = new ItemScores(scored.Tokens);
        }
        catch (GenerationFailedException)
        {
            handle.CountFinish(null);
            throw;
        }
        handle.CountFinish(scores is null ? FinishReason.Cancelled : FinishReason.Length);
        return scores ?? throw new OperationCanceledException("the item was cancelled");
    }
}
