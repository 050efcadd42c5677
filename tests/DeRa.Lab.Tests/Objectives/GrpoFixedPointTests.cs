using DeRa.Lab.Objectives;
using Xunit;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>GRPO ends at an optimum of its own, for one token in closed form, and not at π*.</summary>
public class GrpoFixedPointTests
{
    private const double Bound = 0.005;

    private static readonly TabularSpace OneToken = Space(rewardScale: 1);

    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    public void Grpo_reaches_its_own_fixed_point_and_not_the_regularised_optimum(double beta)
    {
        var trained = Train(OneToken, beta);
        var own = TabularTraining.Distance(OneToken, trained, prompt => FixedPoint(OneToken, prompt, beta));
        var optimum = TabularTraining.Distance(OneToken, trained, prompt => Optimum(prompt, beta));
        var reference = TabularTraining.Distance(OneToken, trained, OneToken.Reference);
        TestContext.Current.TestOutputHelper?.WriteLine($"to its own {own:F5}, to π* {optimum:F4}, to the reference {reference:F4}");
        Assert.True(own < Bound, $"{own:F5} from GRPO's fixed point");
        Assert.True(optimum > 25 * Bound, $"only {optimum:F4} from π*");
        Assert.True(reference > 25 * Bound, $"only {reference:F4} from the reference");
    }

    /// <summary>Not even π* at another β: the two families of distributions differ in shape.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    public void No_beta_makes_the_fixed_point_a_regularised_optimum(double beta)
    {
        var fixedPoint = FixedPoint(OneToken, 0, beta);
        var nearest = Enumerable.Range(1, 4000).Min(i => ClosedForm.TotalVariation(fixedPoint, Optimum(0, i * 0.0025)));
        TestContext.Current.TestOutputHelper?.WriteLine($"nearest π* at {nearest:F4}");
        Assert.True(nearest > 5 * Bound, $"{nearest:F4} from π* at some β");
    }

    /// <summary>Dividing by the standard deviation makes β relative to the spread of a prompt's rewards.</summary>
    [Fact]
    public void Grpo_does_not_see_the_scale_of_rewards()
    {
        var scaled = Space(rewardScale: 10);
        var distance = TabularTraining.Distance(scaled, Train(scaled, 1), prompt => FixedPoint(OneToken, prompt, 1));
        Assert.True(distance < Bound, $"{distance:F5} from the fixed point at the original scale");
    }

    /// <summary>The solver against the condition that it solves: every component of the expected gradient is 0.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    public void The_fixed_point_has_no_gradient(double beta)
    {
        var (reference, rewards, policy) = (OneToken.Reference(0), OneToken.Rewards(0), FixedPoint(OneToken, 0, beta));
        var mean = ClosedForm.Mean(policy, rewards);
        var deviation = Math.Sqrt(ClosedForm.Mean(policy, [.. rewards.Select(r => Math.Pow(r - mean, 2))]));
        Assert.All(Enumerable.Range(0, policy.Length), y =>
            Assert.Equal(0, policy[y] * (rewards[y] - mean) / deviation - beta * (policy[y] - reference[y]), 1e-9));
    }

    private static TabularSpace Space(double rewardScale) => new(seed: 21, vocabulary: 4, length: 1, prompts: 2, rewardScale: rewardScale);

    // Many completions a prompt: the standard deviation of few is not that of the policy.
    private static double[] Train(TabularSpace space, double beta) => new TabularTraining(space, new GrpoObjective(beta))
    {
        PromptsPerBatch = 2,
        CompletionsPerPrompt = 1000,
        Stratified = true,
        Steps = 250,
    }.Run();

    private static double[] FixedPoint(TabularSpace space, int prompt, double beta) =>
        ClosedForm.GrpoFixedPoint(space.Reference(prompt), space.Rewards(prompt), beta);

    private static double[] Optimum(int prompt, double beta) =>
        ClosedForm.Optimum(OneToken.Reference(prompt), OneToken.Rewards(prompt), beta);
}
