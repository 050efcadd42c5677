namespace DeRa.Client.Alignment;

/// <summary>The measures of a choice, or of a piece of it.</summary>
/// <param name="Tokens">Those of its generated tokens, in order.</param>
/// <param name="Sums">Those of the whole choice; null where it goes on.</param>
public sealed record ChoiceMeasures(IReadOnlyList<TokenMeasures> Tokens, MeasureSums? Sums);

/// <summary>Sums of the measures of a choice's tokens.</summary>
public sealed record MeasureSums
{
    /// <summary>Log-probability of all of them in the mixture.</summary>
    public required double LogProb { get; init; }

    /// <summary>The same under the reference model.</summary>
    public required double LogProbReference { get; init; }

    /// <summary>Sum of KL(mixture ‖ reference).</summary>
    public required double KlToReference { get; init; }

    /// <summary>Sum of log Z, whatever drew the tokens.</summary>
    public required double LogZ { get; init; }

    /// <summary>The same where it is the importance weight of the whole text; else null.</summary>
    public required double? LogWeight { get; init; }

    /// <summary>Why <see cref="LogWeight"/> is null: the field that changes what is drawn, or how the text was cut.</summary>
    public required string? LogWeightUndefined { get; init; }

    /// <summary>The aligned model's, of several the first one's.</summary>
    public required AlignedMeasures Aligned { get; init; }

    /// <summary>Each aligned model's by name; over HTTP only where there are several.</summary>
    public required IReadOnlyDictionary<string, AlignedMeasures> AlignedByName { get; init; }
}
