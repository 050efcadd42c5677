using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>Each loss against its formula in plain loops, and its gradient against central differences.</summary>
public class LossTests
{
    private const double Beta = 0.3;
    private const double Clip = 0.2;

    private static readonly RandomSamples Samples = new(seed: 41);

    [Fact]
    public void Brain_s_loss_is_the_cross_entropy_of_its_weights()
    {
        var expected = 0.0;
        foreach (var rows in Prompts())
        {
            var posterior = Weights(rows, row => RandomSamples.Sum(Samples.Reference, row) + Samples.Rewards[row] / Beta);
            var policy = Weights(rows, row => RandomSamples.Sum(Samples.Policy, row));
            expected -= posterior.Zip(policy, (a, b) => a * Math.Log(b)).Sum() / 2;
        }
        Assert.Equal(expected, Loss(new BrainObjective(Beta), Samples), 1e-9);
    }

    [Fact]
    public void Dpo_s_loss_is_the_mean_over_neighbours_of_a_prompt()
    {
        (int, int)[] neighbours = [(0, 1), (1, 2), (3, 4), (4, 5)];
        var expected = neighbours.Average(pair =>
        {
            var (better, worse) = Samples.Rewards[pair.Item1] > Samples.Rewards[pair.Item2] ? pair : (pair.Item2, pair.Item1);
            return Math.Log(1 + Math.Exp(-Beta * (LogRatio(better) - LogRatio(worse))));
        });
        Assert.Equal(expected, Loss(new DpoObjective(Beta, new HardPreference()), Samples), 1e-9);
    }

    [Fact]
    public void Grpo_s_loss_is_the_clipped_gain_less_the_penalty_over_tokens_then_completions()
    {
        var expected = Enumerable.Range(0, RandomSamples.Completions).Average(row => -Samples.Policy[row]
            .Select((policy, t) => GrpoToken(policy, Samples.Proposal[row][t], Samples.Reference[row][t], Advantage(row))).Average());
        Assert.Equal(expected, Loss(new GrpoObjective(Beta, Clip), Samples), 1e-9);
    }

    [Fact]
    public void The_samples_have_tokens_that_grpo_clips_and_tokens_that_it_does_not()
    {
        var clipped = Enumerable.Range(0, RandomSamples.Completions).SelectMany(row => Samples.Policy[row].Select((policy, t) =>
            (Math.Exp(policy - Samples.Proposal[row][t]) - 1) * Math.Sign(Advantage(row)) > Clip)).ToArray();
        Assert.Contains(true, clipped);
        Assert.Contains(false, clipped);
    }

    [Fact]
    public void Policy_gradient_weighs_each_token_by_the_regularised_reward_less_that_of_the_others()
    {
        double Regularised(int row) => Samples.Rewards[row] - Beta * LogRatio(row);
        var gradient = Gradient(new PolicyGradientObjective(Beta));
        foreach (var rows in Prompts())
            foreach (var row in rows)
            {
                var expected = -(Regularised(row) - rows.Where(other => other != row).Average(Regularised)) / RandomSamples.Completions;
                Assert.All(gradient[row][..Samples.Policy[row].Length], value => Assert.Equal(expected, value, 1e-9));
            }
    }

    [Theory]
    [InlineData("brain")]
    [InlineData("dpo")]
    [InlineData("grpo")]
    public void Gradients_are_those_of_finite_differences(string method)
    {
        var objective = Objective(method);
        var gradient = Gradient(objective);
        for (var row = 0; row < RandomSamples.Completions; row++)
            for (var t = 0; t < Samples.Policy[row].Length; t++)
                Assert.Equal(Difference(objective, row, t), gradient[row][t], 1e-7);
    }

    [Theory]
    [InlineData("brain")]
    [InlineData("dpo")]
    [InlineData("grpo")]
    [InlineData("policy-gradient")]
    public void Padding_of_nan_reaches_neither_loss_nor_gradient(string method)
    {
        var gradient = Gradient(Objective(method));
        Assert.True(double.IsFinite(Loss(Objective(method), Samples)));
        for (var row = 0; row < RandomSamples.Completions; row++)
            Assert.All(gradient[row][Samples.Policy[row].Length..], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Equal_rewards_leave_grpo_its_penalty_alone()
    {
        var equal = new RandomSamples(seed: 41, rewards: [0.1, 0.1, 0.1, -3, -3, -3]);
        var penalty = Enumerable.Range(0, RandomSamples.Completions).Average(row => equal.Policy[row]
            .Select((policy, t) => Math.Exp(equal.Reference[row][t] - policy) - (equal.Reference[row][t] - policy) - 1).Average());
        Assert.Equal(Beta * penalty, Loss(new GrpoObjective(Beta, Clip), equal), 1e-9);
    }

    /// <summary>Two completions of the reference and a weight for the better one alone: BRAIn's loss is then DPO's at β = 1.</summary>
    [Fact]
    public void Brain_with_a_hard_posterior_of_two_is_dpo()
    {
        var policy = tensor(new[] { -1.0, -0.3, -2.0, -0.9 }).reshape(4, 1);
        var reference = tensor(new[] { -0.5, -1.3, -0.7, -1.1 }).reshape(4, 1);
        var batch = new SampleBatch(policy, reference, reference, ones(4, 1, ScalarType.Bool), tensor(new[] { 0.0, 1, 3, 2 }), 2, 0);
        var dpo = new DpoObjective(1, new HardPreference()).Loss(batch).item<double>();
        Assert.Equal(dpo, new BrainObjective(1e-4).Loss(batch).item<double>(), 1e-9);
    }

    [Fact]
    public void Dpo_without_a_preference_has_no_loss_and_no_gradient()
    {
        var ties = new RandomSamples(seed: 41, rewards: [1, 1, 1, 2, 2, 2]);
        using var leaf = ties.Leaf();
        using var loss = new DpoObjective(Beta, new HardPreference()).Loss(ties.Batch(leaf));
        loss.backward();
        Assert.Equal(0, loss.item<double>());
        Assert.All(leaf.grad!.data<double>().ToArray(), value => Assert.Equal(0, value));
    }

    private static IObjective Objective(string method) => method switch
    {
        "brain" => new BrainObjective(Beta),
        "dpo" => new DpoObjective(Beta, new HardPreference()),
        "grpo" => new GrpoObjective(Beta, Clip),
        _ => new PolicyGradientObjective(Beta),
    };

    private static int[][] Prompts() => [[0, 1, 2], [3, 4, 5]];

    private static double LogRatio(int row) => RandomSamples.Sum(Samples.Policy, row) - RandomSamples.Sum(Samples.Reference, row);

    private static double[] Weights(int[] rows, Func<int, double> logWeight)
    {
        var weights = rows.Select(row => Math.Exp(logWeight(row) - RandomSamples.Sum(Samples.Proposal, row))).ToArray();
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double Advantage(int row)
    {
        var group = Prompts()[row / RandomSamples.PerPrompt].Select(other => Samples.Rewards[other]).ToArray();
        return (Samples.Rewards[row] - group.Average()) / Math.Sqrt(group.Average(r => Math.Pow(r - group.Average(), 2)));
    }

    private static double GrpoToken(double policy, double proposal, double reference, double advantage)
    {
        var ratio = Math.Exp(policy - proposal);
        var gain = Math.Min(ratio * advantage, Math.Clamp(ratio, 1 - Clip, 1 + Clip) * advantage);
        return gain - Beta * (Math.Exp(reference - policy) - (reference - policy) - 1);
    }

    private static double Loss(IObjective objective, RandomSamples samples)
    {
        using var scope = NewDisposeScope();
        return objective.Loss(samples.Batch(samples.Leaf())).item<double>();
    }

    private static double[][] Gradient(IObjective objective)
    {
        using var scope = NewDisposeScope();
        var leaf = Samples.Leaf();
        objective.Loss(Samples.Batch(leaf)).backward();
        return [.. leaf.grad!.data<double>().ToArray().Chunk((int)leaf.shape[1])];
    }

    private static double Difference(IObjective objective, int row, int position)
    {
        const double h = 1e-5;
        double At(double shift)
        {
            using var scope = NewDisposeScope();
            var moved = Samples.Leaf().detach().clone();
            moved[row, position] += shift;
            return objective.Loss(Samples.Batch(moved)).item<double>();
        }
        return (At(h) - At(-h)) / (2 * h);
    }
}
