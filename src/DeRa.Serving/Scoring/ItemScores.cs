using DeRa.Engine.Requests;

namespace DeRa.Serving.Scoring;

/// <summary>The scores of one item: natural logarithms and nats, at temperature 1 without filters.</summary>
/// <param name="Tokens">Its scored tokens, at least one.</param>
public sealed record ItemScores(IReadOnlyList<StrengthScores> Tokens)
{
    /// <summary>Log-probability of all scored tokens together under one of the mixtures.</summary>
    /// <param name="strength">Its place in the sweep.</param>
    public double LogProb(int strength) => Tokens.Sum(token => token.LogProbs[strength]);

    /// <summary>Sum over its tokens of KL(mixture ‖ reference model) at their places.</summary>
    /// <param name="strength">Its place in the sweep.</param>
    public double KlToReference(int strength) => Tokens.Sum(token => token.KlToReference[strength]);

    /// <summary>e to the mean negative log-probability of a token.</summary>
    /// <param name="strength">Its place in the sweep.</param>
    public double Perplexity(int strength) => Math.Exp(-LogProb(strength) / Tokens.Count);

    /// <summary>Log-probability of all scored tokens together under one model alone.</summary>
    /// <param name="model">0 = the reference, i = the aligned model i − 1.</param>
    public double LogProbOfModel(int model) => Tokens.Sum(token => token.OfModels[model]);
}
