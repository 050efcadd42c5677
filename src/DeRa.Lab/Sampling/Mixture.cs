using DeRa.Lab.Models;

namespace DeRa.Lab.Sampling;

/// <summary>
/// What is sampled from: a model, or two at a strength (eq. 6 of the paper). Strengths 0 and 1 run one model only.
/// </summary>
/// <param name="Reference">Weighs 1 − strength.</param>
/// <param name="Aligned">Weighs the strength.</param>
/// <param name="Strength">λ.</param>
internal sealed record Mixture(TrainableDecoder Reference, TrainableDecoder Aligned, double Strength)
{
    /// <summary>One model as it is.</summary>
    public static Mixture Of(TrainableDecoder model) => new(model, model, 0);

    /// <summary>The models that have a weight, and their weights.</summary>
    public IReadOnlyList<(TrainableDecoder Model, double Weight)> Parts => Strength switch
    {
        0 => [(Reference, 1)],
        1 => [(Aligned, 1)],
        _ => [(Reference, 1 - Strength), (Aligned, Strength)],
    };
}
