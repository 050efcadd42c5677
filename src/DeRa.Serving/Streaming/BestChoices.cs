using DeRa.Serving.Requests;

namespace DeRa.Serving.Streaming;

/// <summary>Picks what <c>best_of</c> asks for: of the candidates of each prompt and strength those with the highest mean log-probability.</summary>
internal static class BestChoices
{
    /// <summary>The choices that come back.</summary>
    /// <param name="choices">All candidates, by index; where any is left out, their tokens have log-probabilities.</param>
    /// <param name="request">What was asked for.</param>
    /// <returns>For each prompt and strength in turn, best first; all of them, in their order, where there are no more than are wanted.</returns>
    public static IReadOnlyList<WholeChoice> Of(IReadOnlyList<WholeChoice> choices, PreparedRequest request)
    {
        if (request.Candidates == request.Returned) return choices;
        WholeChoice[] best = [.. choices.Chunk(request.Candidates).SelectMany(candidates =>
            candidates.OrderByDescending(candidate => candidate.MeanLogProb).Take(request.Returned))];
        if (request.LogProbs is null)
            foreach (var choice in best) choice.DropLogProbs();
        return best;
    }
}
