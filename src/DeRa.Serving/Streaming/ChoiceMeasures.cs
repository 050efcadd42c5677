namespace DeRa.Serving.Streaming;

/// <summary>The measures of a choice: sums over its generated tokens, in natural logarithms and nats.</summary>
/// <param name="LogProb">Log-probability of all of them in the mixture.</param>
/// <param name="LogZ">Σ log Z, that of the tokens that are there.</param>
/// <param name="Models">One for each model of the pair, the reference first; empty where there is no token.</param>
public sealed record ChoiceMeasures(double LogProb, double LogZ, IReadOnlyList<ModelSums> Models)
{
    /// <summary>
    /// Why <see cref="LogZ"/> is not the log-weight of the whole sequence: a field of the request, or how it ended; null where it is: drawn
    /// from the mixture, and ended by itself.
    /// </summary>
    public string? WeightFault { get; init; }

    /// <summary>
    /// log Π Z, the importance weight that takes the token-level mixture to the sequence-level one; null where it is undefined.
    /// </summary>
    public double? LogWeight => WeightFault is null ? LogZ : null;
}

/// <summary>One model's part of the measures of a choice.</summary>
/// <param name="LogProb">Log-probability of all its tokens under the model.</param>
/// <param name="Divergence">Sum over its tokens' places of KL(mixture ‖ model).</param>
/// <param name="ImplicitReward">Sum of log p_model − log p_reference, without β.</param>
public sealed record ModelSums(double LogProb, double Divergence, double ImplicitReward);
