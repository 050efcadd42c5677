using DeRa.Lab.Models;
using DeRa.Serving.Requests;

namespace DeRa.Lab.Sampling;

/// <summary>
/// What is sampled from: a model, or two at a strength (eq. 6 of the paper), at a temperature. Strengths 0 and 1 run a single model.
/// </summary>
/// <param name="Reference">Of weight 1 − strength.</param>
/// <param name="Aligned">Of weight strength.</param>
/// <param name="Strength">λ, as the server allows it.</param>
/// <param name="Temperature">What the mixed logits are divided by, as the server allows it; the objectives need 1.</param>
/// <param name="MinP">Tokens below this share of the likeliest one's probability, in [0, 1], are not drawn; objectives need 0.</param>
/// <exception cref="LabException">
/// The vocabularies have different sizes, or strength, temperature or min-p is out of its range.
/// </exception>
internal sealed record Mixture(
    TrainableDecoder Reference, TrainableDecoder Aligned, double Strength, double Temperature = 1, double MinP = 0)
{
    private const double MinTemperature = 0.01, MaxTemperature = 2;
    private static readonly RequestLimits s_limits = new();

    /// <summary>Of weight <see cref="Strength"/>.</summary>
    public TrainableDecoder Aligned { get; } = Aligned.Config.VocabularySize == Reference.Config.VocabularySize ? Aligned
        : throw new LabException($"the aligned model has {Aligned.Config.VocabularySize} tokens, "
            + $"the reference {Reference.Config.VocabularySize}; a mixture needs one vocabulary.");

    /// <summary>λ.</summary>
    public double Strength { get; } = Strength >= s_limits.MinStrength && Strength <= s_limits.MaxStrength ? Strength
        : throw new LabException(FormattableString.Invariant(
            $"the strength is {Strength}; it must be between {s_limits.MinStrength} and {s_limits.MaxStrength}."));

    /// <summary>What the mixed logits are divided by.</summary>
    public double Temperature { get; } = Temperature is >= MinTemperature and <= MaxTemperature ? Temperature
        : throw new LabException(FormattableString.Invariant(
            $"the temperature is {Temperature}; it must be between {MinTemperature} and {MaxTemperature}."));

    /// <summary>What share of the likeliest token's probability a token must have to be drawn.</summary>
    public double MinP { get; } = MinP is >= 0 and <= 1 ? MinP
        : throw new LabException(FormattableString.Invariant($"min-p is {MinP}; it must be between 0 and 1."));

    /// <summary>The shortest context of its models.</summary>
    public int ContextTokens => Parts.Min(part => part.Model.Config.ContextTokens);

    /// <summary>A single model.</summary>
    public static Mixture Of(TrainableDecoder model, double temperature = 1, double minP = 0) => new(model, model, 0, temperature, minP);

    /// <summary>The active models and what their logits are multiplied by: their weight over the temperature.</summary>
    public IReadOnlyList<(TrainableDecoder Model, double Weight)> Parts => Strength switch
    {
        0 => [(Reference, 1 / Temperature)],
        1 => [(Aligned, 1 / Temperature)],
        _ => [(Reference, (1 - Strength) / Temperature), (Aligned, Strength / Temperature)],
    };
}
