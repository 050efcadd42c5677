using DeRa.Engine.Requests;

namespace DeRa.Serving.Streaming;

/// <summary>A piece of one choice, ready to be put on the wire.</summary>
/// <param name="Index">The choice's index in the response.</param>
/// <param name="Text">Text that is certain: whole characters, nothing that may belong to a stop string. May be empty.</param>
/// <param name="Tokens">The tokens whose text is out with this piece or before.</param>
/// <param name="FinishReason">Set on the choice's last piece.</param>
/// <param name="StopString">The stop string that ended the choice, where one did.</param>
/// <param name="StopToken">The stop token, of those that the request names, that ended the choice, where one did.</param>
/// <param name="Strengths">
/// Set on a piece without text: the effective strengths of tokens sampled from now on. Text of earlier tokens may still be held back.
/// </param>
public sealed record ChoiceDelta(
    int Index, string Text, IReadOnlyList<OutputToken> Tokens, FinishReason? FinishReason = null, string? StopString = null,
    int? StopToken = null, AlignmentStrengths? Strengths = null)
{
    /// <summary>
    /// The prompt's log-probabilities, one for each token but the first; on one piece of a choice whose prompt was scored.
    /// </summary>
    public IReadOnlyList<TokenLogProbs>? PromptScores { get; init; }

    /// <summary>On the last piece, what the rewards that were asked for score the choice; see <see cref="WholeChoice.Rewards"/>.</summary>
    public IReadOnlyList<(string Name, double? Score)>? Rewards { get; init; }

    /// <summary>On the last piece, the sums of the measures of all tokens that came out, where measures were asked for.</summary>
    public ChoiceMeasures? Measures { get; init; }
}

/// <summary>A token of a response.</summary>
/// <param name="Token">Its id.</param>
/// <param name="TextOffset">Where its text begins, in characters (Unicode scalar values) from the start of the choice's text.</param>
/// <param name="IsPrompt">True for the tokens of an echoed prompt.</param>
/// <param name="LogProbs">Where asked for; null for the first token of a prompt, which nothing precedes.</param>
public sealed record OutputToken(int Token, int TextOffset, bool IsPrompt, TokenLogProbs? LogProbs)
{
    /// <summary>Of generated tokens, where asked for.</summary>
    public TokenMeasures? Measures { get; init; }
}
