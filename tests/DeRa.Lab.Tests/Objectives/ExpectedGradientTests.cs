using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>The policy gradient is unbiased, exactly: averaged over every draw that its samples could have been.</summary>
public class ExpectedGradientTests
{
    private const double Beta = 0.4;

    // Completions of one and two tokens: 7 in all.
    private static readonly TabularSpace Space = new(seed: 51, vocabulary: 3, length: 2, prompts: 1, endToken: 0);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void The_expected_policy_gradient_is_that_of_reward_less_kl(int completions)
    {
        var expected = Exact();
        Assert.Contains(expected, value => Math.Abs(value) > 0.01);
        var average = new double[expected.Length];
        foreach (var (rows, probability) in Draws(completions))
            foreach (var (i, value) in Sampled(rows).Index()) average[i] -= probability * value;
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], average[i], 1e-6);
    }

    // ∇(E[r] − β·KL) by differences of the exact sums.
    private static double[] Exact()
    {
        const double h = 1e-5;
        double Objective(double[] table)
        {
            var policy = Space.Probabilities(table, 0);
            return ClosedForm.Mean(policy, Space.Rewards(0)) - Beta * ClosedForm.Kl(policy, Space.Reference(0));
        }
        return [.. Policy().Select((_, i) => (Objective(Moved(i, h)) - Objective(Moved(i, -h))) / (2 * h))];
    }

    private static double[] Sampled(int[] rows)
    {
        using var scope = NewDisposeScope();
        var table = Space.Table(Policy(), ScalarType.Float64).requires_grad_(true);
        new PolicyGradientObjective(Beta).Loss(Space.Batch(table, table, rows, rows.Length)).backward();
        return table.grad!.data<double>().ToArray();
    }

    private static IEnumerable<(int[] Rows, double Probability)> Draws(int completions)
    {
        var policy = Space.Probabilities(Policy(), 0);
        IEnumerable<(int[] Rows, double Probability)> draws = [([], 1)];
        for (var i = 0; i < completions; i++)
            draws = draws.SelectMany(draw => policy.Select((p, row) => (draw.Rows.Append(row).ToArray(), draw.Probability * p)));
        return draws;
    }

    // A policy that is neither the reference nor the optimum.
    private static double[] Policy() => [.. Space.ReferenceLogits.Select((logit, i) => logit + 0.7 * Math.Sin(3 * i + 1))];

    private static double[] Moved(int index, double shift)
    {
        var table = Policy();
        table[index] += shift;
        return table;
    }
}
