using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

public class PreferenceTests
{
    [Fact]
    public void Neighbours_of_one_prompt_are_paired_and_ties_skipped() => Assert.Equal(
        [new(1, 0), new(4, 3), new(4, 5)],
        PreferencePair.Neighbours(Batch(3, [1, 2, 2, 0, 5, -1]), new HardPreference()));

    [Fact]
    public void Two_completions_are_one_pair() => Assert.Equal(
        [new(0, 1), new(3, 2)],
        PreferencePair.Neighbours(Batch(2, [1, 0, 0, 1]), new HardPreference()));

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    [InlineData(-1.5)]
    public void Bradley_terry_prefers_the_first_with_the_sigmoid_of_the_difference(double difference)
    {
        const int draws = 20_000;
        var preference = new BradleyTerryPreference(9);
        var share = Enumerable.Range(0, draws)
            .Count(i => preference.PrefersFirst(0.3 + difference, 0.3, step: i / 100, pair: i % 100) == true) / (double)draws;
        var probability = Math.Exp(difference) / (1 + Math.Exp(difference));
        Assert.Equal(probability, share, 4 * Math.Sqrt(0.25 / draws));
    }

    [Fact]
    public void Bradley_terry_repeats_its_draws_for_a_seed_and_step_and_differs_between_steps()
    {
        static bool?[] Draws(long seed, int step) =>
            [.. Enumerable.Range(0, 64).Select(pair => new BradleyTerryPreference(seed).PrefersFirst(0, 0, step, pair))];

        Assert.Equal(Draws(1, 5), Draws(1, 5));
        Assert.NotEqual(Draws(1, 5), Draws(1, 6));
        Assert.NotEqual(Draws(1, 5), Draws(2, 5));
    }

    [Fact]
    public void Stored_pairs_need_no_rewards()
    {
        var dpo = new DpoObjective(0.5, new HardPreference());
        var drawn = dpo.Loss(Batch(2, [1, 0, 0, 1])).item<double>();
        Assert.Equal(drawn, dpo.Loss(Batch(2, [0, 0, 0, 0]), [new(0, 1), new(3, 2)]).item<double>());
        Assert.NotEqual(drawn, dpo.Loss(Batch(2, [0, 0, 0, 0]), [new(1, 0), new(2, 3)]).item<double>());
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(0, 0)]
    [InlineData(-1, 0)]
    [InlineData(3, 4)]
    public void Pairs_of_two_prompts_or_of_rows_that_are_not_there_are_refused(int chosen, int rejected)
    {
        var error = Assert.Throws<ArgumentException>(() =>
            new DpoObjective(1, new HardPreference()).Loss(Batch(2, [1, 0, 0, 1]), [new(chosen, rejected)]));
        Assert.Contains("between 0 and 3", error.Message, StringComparison.Ordinal);
    }

    private static SampleBatch Batch(int completionsPerPrompt, double[] rewards)
    {
        var policy = tensor(rewards.Select((_, row) => -0.3 * row * row).ToArray()).reshape(-1, 1);
        return new(policy, zeros_like(policy), policy, ones_like(policy, ScalarType.Bool), tensor(rewards), completionsPerPrompt, 0);
    }
}
