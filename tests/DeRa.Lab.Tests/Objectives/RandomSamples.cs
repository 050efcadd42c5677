using DeRa.Lab.Objectives;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>
/// Two prompts with three completions each of up to four tokens, as arrays for plain loops and as a float64 batch, whose
/// padding holds −∞ and NaN.
/// </summary>
internal sealed class RandomSamples
{
    public const int Completions = 6;
    public const int PerPrompt = 3;
    private const int Positions = 4;
    private static readonly int[] Lengths = [4, 2, 1, 3, 4, 2];

    public RandomSamples(int seed, double[]? rewards = null)
    {
        var random = new Random(seed);
        Rewards = rewards ?? [.. Enumerable.Range(0, Completions).Select(_ => 2 * random.NextDouble() - 1)];
        Reference = Table(() => -0.2 - 2 * random.NextDouble());
        Proposal = Table(() => -0.2 - 2 * random.NextDouble());
        Policy = [.. Proposal.Select(row => row.Select(value => value + 0.8 * (random.NextDouble() - 0.5)).ToArray())];
    }

    public double[][] Policy { get; }

    public double[][] Reference { get; }

    public double[][] Proposal { get; }

    public double[] Rewards { get; }

    /// <summary>The whole completion's log-probability in one of the tables.</summary>
    public static double Sum(double[][] logProbs, int row) => logProbs[row].Sum();

    /// <summary>A leaf that a gradient can be taken of, float64 [6, 4].</summary>
    public Tensor Leaf() => Padded(Policy, double.NaN).requires_grad_(true);

    /// <param name="policy">A leaf, or one with a token moved.</param>
    public SampleBatch Batch(Tensor policy)
    {
        var mask = tensor(Lengths.SelectMany(length => Enumerable.Range(0, Positions).Select(t => t < length)).ToArray());
        return new(policy, Padded(Reference, double.NegativeInfinity), Padded(Proposal, double.NaN), mask.reshape(Completions, Positions),
            tensor(Rewards), PerPrompt, step: 0);
    }

    private static double[][] Table(Func<double> draw) =>
        [.. Lengths.Select(length => Enumerable.Range(0, length).Select(_ => draw()).ToArray())];

    private static Tensor Padded(double[][] rows, double padding) => tensor(rows.SelectMany(row =>
        row.Concat(Enumerable.Repeat(padding, Positions - row.Length))).ToArray()).reshape(Completions, Positions);
}
