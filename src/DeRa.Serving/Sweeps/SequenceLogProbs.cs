namespace DeRa.Serving.Sweeps;

/// <summary>Log-probabilities of a completion's tokens together, end token included, at temperature 1 without filters.</summary>
/// <param name="Mixture">In the mixture at the strength of its row.</param>
/// <param name="Reference">Under the reference model.</param>
/// <param name="Aligned">Under the first aligned model.</param>
public sealed record SequenceLogProbs(double Mixture, double Reference, double Aligned)
{
    /// <summary>
    /// The importance log-weight of the completion, which the mixture drew token by token, towards the mixture of whole texts,
    /// π_reference^(1−λ) · π_aligned^λ, up to a constant of the prompt. At the row's own strength it is W = Σ log Z.
    /// </summary>
    /// <param name="strength">λ of the mixture of whole texts.</param>
    public double LogWeight(double strength) => (1 - strength) * Reference + strength * Aligned - Mixture;
}
