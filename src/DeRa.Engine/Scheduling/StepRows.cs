using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Builds a sequence's row of a step. A feature of a request is a field of the row and a line here, not a case in the scheduler.
/// </summary>
internal static class StepRows
{
    /// <param name="sequence">A sequence with tokens that are not in the cache yet.</param>
    /// <param name="budgetTokens">Tokens that the row may run at most; at least 1.</param>
    public static StepRow For(Sequence sequence, int budgetTokens)
    {
        var start = sequence.CachedLength;
        var tokens = sequence.Tokens[start..Math.Min(sequence.Length, start + budgetTokens)];
        var samples = start + tokens.Length == sequence.Length && sequence.Request.MaxTokens > 0;
        return new StepRow
        {
            Tokens = tokens,
            Position = start,
            BlockTable = sequence.Blocks,
            Strengths = sequence.Strengths,
            Sampling = samples ? Sampling(sequence) : null,
            ScoredTokens = Scored(sequence, start, tokens.Length),
            ScoredAlternatives = sequence.Request.PromptLogProbs ?? 0,
        };
    }

    private static SamplingRow Sampling(Sequence sequence) => new()
    {
        Parameters = sequence.Request.Sampling,
        NoiseKey = GumbelNoise.Key(sequence.Request.Seed, sequence.Request.ChoiceIndex, stream: 0, sequence.Length),
        History = sequence.Tokens,
        PromptTokens = sequence.Request.PromptTokens.Count,
        LogProbs = sequence.Request.LogProbs,
    };

    /// <summary>The prompt tokens that follow the row's tokens.</summary>
    private static ReadOnlyMemory<int> Scored(Sequence sequence, int start, int count)
    {
        var promptLength = sequence.Request.PromptTokens.Count;
        if (sequence.Request.PromptLogProbs is null || sequence.IsPromptScored || start + 1 >= promptLength) return default;
        return sequence.Tokens[(start + 1)..Math.Min(promptLength, start + count + 1)];
    }
}
