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

    /// <summary>What serves the requests.</summary>
    public ServedPair Pair => pair;

    /// <summary>Checks and encodes a request. Takes time in proportion to its texts.</summary>
    /// <exception cref="InvalidRequestException">A field is out of range; the exception names it and the range.</exception>
    public PreparedScores Prepare(ScoreInput input) => _validator.Prepare(input);

    /// <summary>Submits a prepared request to the engine; each model runs each item once.</summary>
    /// <param name="prepared">What <see cref="Prepare"/> gave.</param>
    /// <param name="elapsed">What has passed of the request's time already, while it was read and prepared.</param>
    /// <returns>The running request; disposing it cancels what still runs.</returns>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    public RunningScores Start(PreparedScores prepared, TimeSpan elapsed = default) => new(pair.Engine, prepared, elapsed);

    /// <summary>Scores all items.</summary>
    /// <param name="prepared">What <see cref="Prepare"/> gave.</param>
    /// <param name="cancellation">Stops it; what still runs is cancelled.</param>
    /// <returns>One an item, in their order.</returns>
    /// <exception cref="AdmissionException">The engine did not take it.</exception>
    /// <exception cref="GenerationFailedException">An item failed; the others are cancelled.</exception>
    /// <exception cref="DeadlineExceededException">The request's deadline passed.</exception>
    public async Task<IReadOnlyList<ItemScores>> RunAsync(PreparedScores prepared, CancellationToken cancellation)
    {
        using var running = Start(prepared);
        return await running.ReadAsync(cancellation);
    }
}
