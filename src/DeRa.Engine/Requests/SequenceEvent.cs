namespace DeRa.Engine.Requests;

/// <summary>
/// Log-probabilities of one token under the mixture: natural logarithm, float32, before penalties, bias, masks, temperature and
/// filters.
/// </summary>
/// <param name="Token">The token itself.</param>
/// <param name="LogProb">Its log-probability.</param>
/// <param name="Top">The most likely tokens at that place, best first.</param>
public sealed record TokenLogProbs(int Token, float LogProb, IReadOnlyList<(int Token, float LogProb)> Top)
{
    /// <summary>Its place among all tokens of the vocabulary, 1 = the likeliest; null for sampled tokens, where nobody asks.</summary>
    public int? Rank { get; init; }
}

/// <summary>
/// What a running sequence reports, in order: one <see cref="PromptScored"/> or <see cref="StrengthsScored"/> if asked for, tokens with
/// changes of strength between them, one <see cref="SequenceFinished"/>.
/// </summary>
public abstract record SequenceEvent;

/// <summary>The prompt has been read.</summary>
/// <param name="LogProbs">An entry for each prompt token from the second on (nothing precedes the first).</param>
public sealed record PromptScored(IReadOnlyList<TokenLogProbs> LogProbs) : SequenceEvent;

/// <summary>The prompt has been read, and its tokens scored at many strengths.</summary>
/// <param name="Tokens">An entry for each token from <see cref="PromptScoring.FirstToken"/> on.</param>
public sealed record StrengthsScored(IReadOnlyList<StrengthScores> Tokens) : SequenceEvent;

/// <summary>A token was generated; a stop token too.</summary>
/// <param name="Token">The token id.</param>
/// <param name="LogProbs">Present where the request asked for it.</param>
public sealed record TokenGenerated(int Token, TokenLogProbs? LogProbs) : SequenceEvent
{
    /// <summary>Present where the request asked for it and the token was drawn.</summary>
    public TokenMeasures? Measures { get; init; }
}

/// <summary>Other strengths apply to the tokens that follow.</summary>
/// <param name="Strengths">How much each model weighs now.</param>
public sealed record StrengthsChanged(AlignmentStrengths Strengths) : SequenceEvent;

/// <summary>The last event of a sequence. A sequence that fails has none: its channel ends with the exception.</summary>
/// <param name="Reason">Why it ended.</param>
public sealed record SequenceFinished(FinishReason Reason) : SequenceEvent;
