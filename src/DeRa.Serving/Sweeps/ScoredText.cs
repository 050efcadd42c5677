namespace DeRa.Serving.Sweeps;

/// <summary>What a pair says of a text.</summary>
/// <param name="KlToReference">Sum of KL(mixture ‖ reference) over the places of its tokens, in nats; at least 0.</param>
/// <param name="LogProbs">Its log-probabilities.</param>
public sealed record ScoredText(double KlToReference, SequenceLogProbs LogProbs);
