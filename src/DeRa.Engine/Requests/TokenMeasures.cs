namespace DeRa.Engine.Requests;

/// <summary>
/// What a drawn token and its place measure: natural logarithms and nats, at temperature 1, before penalties, bias, masks and filters
/// (DeRa, eq. 6).
/// </summary>
/// <param name="Token">The token.</param>
/// <param name="LogProb">Its log-probability in the mixture, at most 0.</param>
/// <param name="LogZ">
/// log Σ_v Π_m p_m(v)^w_m, p_m the models' probabilities and w_m their weights: by how much the mixture's normalisation falls short. At
/// most 0 where no weight is negative, and 0 where one model has all the weight.
/// </param>
/// <param name="Models">One for each model of the pair, the reference first.</param>
public sealed record TokenMeasures(int Token, double LogProb, double LogZ, IReadOnlyList<ModelMeasures> Models)
{
    /// <summary>The likeliest tokens of the mixture, best first; as many as were asked for.</summary>
    public IReadOnlyList<(int Token, float LogProb)> Top { get; init; } = [];

    /// <summary>log p_m − log p_reference of the token, without β; not finite where the token is impossible in either.</summary>
    /// <param name="model">i = the aligned model i − 1.</param>
    public double ImplicitReward(int model) => Models[model].LogProb - Models[0].LogProb;
}

/// <summary>One model's part of a token's measures.</summary>
/// <param name="LogProb">The token's log-probability under the model, at most 0; −∞ where it is impossible.</param>
/// <param name="Divergence">KL(mixture ‖ model) at its place, at least 0; +∞ where the mixture draws what the model cannot.</param>
/// <param name="Top">The model's likeliest tokens, best first; as many as were asked for.</param>
public sealed record ModelMeasures(double LogProb, double Divergence, IReadOnlyList<(int Token, float LogProb)> Top);
