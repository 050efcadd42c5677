using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>What does not fit is refused by name and allowed range.</summary>
public class BadInputTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void No_objective_takes_a_kl_strength_of_zero_or_below(double beta)
    {
        Func<IObjective>[] objectives = [() => new PolicyGradientObjective(beta), () => new GrpoObjective(beta),
            () => new DpoObjective(beta, new HardPreference()), () => new BrainObjective(beta)];
        Assert.All(objectives, create =>
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(() => create());
            Assert.Contains("'beta'", error.Message, StringComparison.Ordinal);
            Assert.Contains("above 0", error.Message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Grpo_takes_no_clip_outside_of_0_and_1(double clip)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new GrpoObjective(1, clip));
        Assert.Contains("'clip'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_completion_a_prompt_is_refused() => AssertRefused("completionsPerPrompt", "at least 2", completionsPerPrompt: 1);

    [Fact]
    public void A_negative_step_is_refused() => AssertRefused("step", "at least 0", step: -1);

    [Fact]
    public void Completions_that_no_number_of_prompts_makes_are_refused() =>
        AssertRefused("policyLogProbs", "a multiple of the 3", completionsPerPrompt: 3);

    [Fact]
    public void Log_probabilities_of_a_sequence_instead_of_its_tokens_are_refused() =>
        AssertRefused("policyLogProbs", "[S, T]", policy: zeros(4));

    [Fact]
    public void Log_probabilities_in_bfloat16_are_refused() =>
        AssertRefused("policyLogProbs", "Float32 or Float64", policy: zeros(4, 3, ScalarType.BFloat16));

    [Fact]
    public void Reference_proposal_mask_and_rewards_of_another_shape_are_refused()
    {
        AssertRefused("referenceLogProbs", "[4, 3]", reference: zeros(4, 2));
        AssertRefused("proposalLogProbs", "[4, 3]", proposal: zeros(2, 3));
        AssertRefused("mask", "[4, 3]", mask: ones(4, ScalarType.Bool));
        AssertRefused("rewards", "[4]", rewards: zeros(2, 2));
    }

    [Fact]
    public void A_mask_of_numbers_is_refused() => AssertRefused("mask", "Bool", mask: ones(4, 3));

    [Fact]
    public void A_completion_without_tokens_is_refused() =>
        AssertRefused("mask", "at least 1", mask: tensor(new[] { true, true, false, true }).reshape(4, 1).expand(4, 3));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Rewards_that_are_no_numbers_are_refused(float reward) =>
        AssertRefused("rewards", "finite", rewards: tensor(new[] { 0, 1, reward, 2 }));

    private static void AssertRefused(string field, string allowed, Tensor? policy = null, Tensor? reference = null,
        Tensor? proposal = null, Tensor? mask = null, Tensor? rewards = null, int completionsPerPrompt = 2, int step = 0)
    {
        var error = Assert.Throws<ArgumentException>(() => new SampleBatch(policy ?? zeros(4, 3), reference ?? zeros(4, 3),
            proposal ?? zeros(4, 3), mask ?? ones(4, 3, ScalarType.Bool), rewards ?? zeros(4), completionsPerPrompt, step));
        Assert.Equal(field, error.ParamName);
        Assert.Contains(allowed, error.Message, StringComparison.Ordinal);
    }
}
