namespace DeRa.Client.Alignment;

/// <summary>
/// What the models and their mixture say of a generated token and its place: natural logarithms and nats, at temperature 1, before
/// penalties, bias, masks and filters. Over HTTP what is infinite is NaN, and a log-probability −9999.
/// </summary>
public sealed record TokenMeasures
{
    /// <summary>The token's id.</summary>
    public required int Id { get; init; }

    /// <summary>How the vocabulary writes it.</summary>
    public required string Text { get; init; }

    /// <summary>Its log-probability in the mixture.</summary>
    public required double LogProb { get; init; }

    /// <summary>The same under the reference model.</summary>
    public required double LogProbReference { get; init; }

    /// <summary>KL(mixture ‖ reference) at its place.</summary>
    public required double KlToReference { get; init; }

    /// <summary>log of the sum over all tokens of reference^(1−λ) · aligned^λ.</summary>
    public required double LogZ { get; init; }

    /// <summary>The aligned model's, of several the first one's.</summary>
    public required AlignedMeasures Aligned { get; init; }

    /// <summary>Each aligned model's by name; over HTTP only where there are several.</summary>
    public required IReadOnlyDictionary<string, AlignedMeasures> AlignedByName { get; init; }

    /// <summary>The reference's likeliest tokens, best first; as many as were asked for.</summary>
    public IReadOnlyList<LikelyToken> TopReference { get; init; } = [];

    /// <summary>The mixture's likeliest tokens.</summary>
    public IReadOnlyList<LikelyToken> TopMixture { get; init; } = [];
}

/// <summary>What is measured of an aligned model, at a token or summed over a choice.</summary>
/// <param name="LogProb">Log-probability under it.</param>
/// <param name="Kl">KL(mixture ‖ this model).</param>
/// <param name="ImplicitReward">Its log-probability minus the reference's; times β where the server has one.</param>
/// <param name="Top">Its likeliest tokens, best first; as many as were asked for, none in sums.</param>
public sealed record AlignedMeasures(double LogProb, double Kl, double ImplicitReward, IReadOnlyList<LikelyToken> Top);

/// <summary>A token that might have been.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">How the vocabulary writes it.</param>
/// <param name="LogProb">Its log-probability.</param>
public sealed record LikelyToken(int Id, string Text, double LogProb);
