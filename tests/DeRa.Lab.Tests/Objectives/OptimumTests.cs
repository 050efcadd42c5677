using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>Every method that claims π* ∝ π_ref·exp(r/β) gets there from samples.</summary>
public class OptimumTests
{
    /// <summary>The largest total variation to π*, over two prompts: the gradient's noise vanishes at π*, so little is left.</summary>
    private const double Bound = 0.005;

    /// <summary>DPO's: the noise of drawn preferences does not vanish at π*.</summary>
    private const double DpoBound = 0.03;

    // Rewards in [−1, 1]: at these β the reference is far from π*.
    private static readonly TabularSpace FixedLength = new(seed: 11, vocabulary: 3, length: 3, prompts: 2);
    private static readonly TabularSpace WithEndToken = new(seed: 12, vocabulary: 3, length: 4, prompts: 2, endToken: 0);

    [Theory]
    [InlineData(0.4, false)]
    [InlineData(1, false)]
    [InlineData(0.4, true)]
    [InlineData(1, true)]
    public void Policy_gradient_reaches_the_regularised_optimum(double beta, bool endToken) =>
        AssertReaches(PolicyGradient(Space(endToken), new PolicyGradientObjective(beta)), beta, Bound);

    [Theory]
    [InlineData(0.4, false, 8)]
    [InlineData(1, false, 8)]
    [InlineData(0.4, true, 8)]
    [InlineData(1, true, 8)]
    [InlineData(0.4, true, 2)]
    public void Brain_reaches_the_regularised_optimum_from_the_reference_s_completions(double beta, bool endToken, int completions) =>
        AssertReaches(Brain(Space(endToken), beta) with { CompletionsPerPrompt = completions }, beta, Bound);

    [Fact]
    public void Brain_reaches_the_regularised_optimum_from_its_own_completions() =>
        AssertReaches(Brain(WithEndToken, 0.4) with { FromReference = false }, 0.4, Bound);

    [Theory]
    [InlineData(0.4, false)]
    [InlineData(1, false)]
    [InlineData(0.4, true)]
    [InlineData(1, true)]
    public void Dpo_reaches_the_regularised_optimum_with_bradley_terry_preferences(double beta, bool endToken) =>
        AssertReaches(Dpo(Space(endToken), beta, new BradleyTerryPreference(5)), beta, DpoBound);

    [Fact]
    public void Preferences_at_temperature_beta_lead_elsewhere() =>
        AssertMisses(Dpo(FixedLength, 0.4, new TemperedPreference(0.4)), 0.4);

    [Fact]
    public void Policy_gradient_without_its_kl_leads_elsewhere() =>
        AssertMisses(PolicyGradient(FixedLength, new RewardOnly()), 0.4);

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.8)]
    public void Another_beta_leads_elsewhere(double beta)
    {
        AssertMisses(PolicyGradient(FixedLength, new PolicyGradientObjective(beta)), 0.4);
        AssertMisses(Brain(FixedLength, beta), 0.4);
        AssertMisses(Dpo(FixedLength, beta, new BradleyTerryPreference(5)), 0.4);
    }

    private static TabularSpace Space(bool endToken) => endToken ? WithEndToken : FixedLength;

    private static TabularTraining PolicyGradient(TabularSpace space, IObjective objective) => new(space, objective);

    private static TabularTraining Brain(TabularSpace space, double beta) => new(space, new BrainObjective(beta)) { FromReference = true };

    private static TabularTraining Dpo(TabularSpace space, double beta, IPreference preference) =>
        new(space, new DpoObjective(beta, preference)) { FromReference = true, PromptsPerBatch = 128, Steps = 800 };

    private static void AssertReaches(TabularTraining training, double beta, double bound)
    {
        var before = Distance(training, training.Space.ReferenceLogits, beta);
        var after = Distance(training, training.Run(), beta);
        TestContext.Current.TestOutputHelper?.WriteLine($"total variation to the optimum: {before:F4} before, {after:F5} after");
        Assert.True(before > 7 * bound, $"the reference is {before:F4} from the optimum: the bound of {bound} shows nothing");
        Assert.True(after < bound, $"the policy is {after:F4} from the optimum, the reference {before:F4}; the bound is {bound}");
    }

    private static void AssertMisses(TabularTraining training, double beta)
    {
        var after = Distance(training, (training with { PromptsPerBatch = 32, Steps = 400 }).Run(), beta);
        TestContext.Current.TestOutputHelper?.WriteLine($"total variation to the optimum: {after:F5}");
        Assert.True(after > 3 * DpoBound, $"the policy is only {after:F4} from the optimum");
    }

    private static double Distance(TabularTraining training, double[] logits, double beta) => TabularTraining.Distance(training.Space,
        logits, prompt => ClosedForm.Optimum(training.Space.Reference(prompt), training.Space.Rewards(prompt), beta));

    /// <summary>Bradley–Terry as if β were the temperature of preferences.</summary>
    private sealed class TemperedPreference(double temperature) : IPreference
    {
        private readonly BradleyTerryPreference _drawn = new(5);

        public bool? PrefersFirst(double firstReward, double secondReward, int step, int pair) =>
            _drawn.PrefersFirst(firstReward / temperature, secondReward / temperature, step, pair);
    }

    /// <summary>REINFORCE whose author forgot the KL.</summary>
    private sealed class RewardOnly : IObjective
    {
        public string Name => "reward only";

        public double Beta => 0.4;

        public Tensor Loss(SampleBatch batch)
        {
            var rewards = batch.RewardsByPrompt();
            return ((rewards - rewards.mean([1], keepdim: true)) * batch.ByPrompt(batch.PolicyTokens().sum(1))).mean().neg();
        }
    }
}
