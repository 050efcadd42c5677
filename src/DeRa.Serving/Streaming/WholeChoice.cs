using System.Text;
using DeRa.Engine.Requests;

namespace DeRa.Serving.Streaming;

/// <summary>A choice put together from its pieces, for a response in one piece.</summary>
public sealed class WholeChoice
{
    private readonly StringBuilder _text = new();
    private readonly List<OutputToken> _tokens = [];

    /// <summary>Its text.</summary>
    public string Text => _text.ToString();

    /// <summary>Its tokens, an echoed prompt's first.</summary>
    public IReadOnlyList<OutputToken> Tokens => _tokens;

    /// <summary>Why it ended.</summary>
    public FinishReason FinishReason { get; private set; }

    /// <summary>The stop string that ended it, if one did.</summary>
    public string? StopString { get; private set; }

    /// <summary>The stop token that ended it, if it was one that the request names.</summary>
    public int? StopToken { get; private set; }

    /// <summary>The prompt's log-probabilities, one for each token but the first; null where none were asked for.</summary>
    public IReadOnlyList<TokenLogProbs>? PromptScores { get; private set; }

    /// <summary>What the rewards that were asked for score it, null where one has no score; null = not scored.</summary>
    public IReadOnlyList<(string Name, double? Score)>? Rewards { get; set; }

    /// <summary>The sums of its tokens' measures; null where none were asked for.</summary>
    public ChoiceMeasures? Measures { get; private set; }

    /// <summary>The mean log-probability of the generated tokens; −∞ where there is none.</summary>
    public double MeanLogProb => _tokens.Where(token => !token.IsPrompt)
        .Select(token => (double)token.LogProbs!.LogProb).DefaultIfEmpty(double.NegativeInfinity).Average();

    /// <summary>Takes the generated tokens' log-probabilities away: they were needed here, and nobody asked for them.</summary>
    public void DropLogProbs()
    {
        for (var i = 0; i < _tokens.Count; i++)
            if (!_tokens[i].IsPrompt) _tokens[i] = _tokens[i] with { LogProbs = null };
    }

    /// <summary>Adds a piece.</summary>
    public void Add(ChoiceDelta piece)
    {
        _text.Append(piece.Text);
        _tokens.AddRange(piece.Tokens);
        PromptScores ??= piece.PromptScores;
        if (piece.FinishReason is not { } reason) return;
        FinishReason = reason;
        StopString = piece.StopString;
        StopToken = piece.StopToken;
        Measures = piece.Measures;
    }

    /// <summary>Reads a generation to its end.</summary>
    /// <returns>The choices that the request wants, by index.</returns>
    public static async Task<IReadOnlyList<WholeChoice>> ReadAsync(Generation generation, CancellationToken cancellation)
    {
        var choices = Array.ConvertAll([.. generation.Request.Choices], _ => new WholeChoice());
        await foreach (var piece in generation.ReadAsync(cancellation)) choices[piece.Index].Add(piece);
        return BestChoices.Of(choices, generation.Request);
    }
}
