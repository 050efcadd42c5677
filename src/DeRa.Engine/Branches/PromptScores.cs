using DeRa.Engine.Requests;

namespace DeRa.Engine.Branches;

/// <summary>What a branch's prompt scores, where its request asks for it. Engine thread only.</summary>
/// <param name="request">The branch's request.</param>
/// <param name="isDone">Whether nothing is left to score: a fork's parent has done it.</param>
internal sealed class PromptScores(GenerationRequest request, bool isDone)
{
    private readonly List<TokenLogProbs> _ofTokens = [];
    private readonly List<StrengthScores> _atStrengths = [];
    private bool _isDone = isDone;

    /// <summary>The first token of the prompt that is scored; null where none is.</summary>
    public int? First => request.Scoring?.FirstToken ?? (request.PromptLogProbs is null ? null : 1);

    /// <summary>Whether scores are still to come.</summary>
    public bool AreMissing => First is not null && !_isDone;

    /// <summary>The next token's score.</summary>
    public void Add(TokenLogProbs score) => _ofTokens.Add(score);

    /// <summary>The next token's scores at many strengths.</summary>
    public void Add(StrengthScores scores) => _atStrengths.Add(scores);

    /// <summary>The prompt is read again from its beginning; scores that are out stay out.</summary>
    public void Restart()
    {
        if (!AreMissing) return;
        _ofTokens.Clear();
        _atStrengths.Clear();
    }

    /// <summary>The prompt has been read: its scores.</summary>
    public SequenceEvent Finish()
    {
        _isDone = true;
        return request.Scoring is null ? new PromptScored([.. _ofTokens]) : new StrengthsScored([.. _atStrengths]);
    }
}
