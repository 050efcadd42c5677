using DeRa.Lab.Objectives;
using Xunit;

namespace DeRa.Lab.Tests.Objectives;

/// <summary>With hard preferences DPO has no optimum: that is how an over-optimised pair comes about.</summary>
public class DpoRunawayTests
{
    private const double Beta = 1;

    private static readonly TabularSpace Space = new(seed: 31, vocabulary: 3, length: 2, prompts: 1);

    /// <summary>On a space this small there is an end to it: all probability on the best completion.</summary>
    [Fact]
    public void Hard_preferences_run_away_from_the_reference()
    {
        var kl = KlAtFourths(new HardPreference());
        var onlyTheBest = -Math.Log(Space.Reference(0)[Array.IndexOf(Space.Rewards(0), Space.Rewards(0).Max())]);
        for (var i = 1; i < kl.Length; i++) Assert.True(kl[i] > kl[i - 1] + 0.01, $"KL {string.Join(", ", kl)}");
        Assert.True(kl[^1] > 10 * OptimalKl(), $"KL {kl[^1]:F3}, that of π* is {OptimalKl():F3}");
        Assert.InRange(kl[^1], 0.7 * onlyTheBest, onlyTheBest);
    }

    [Fact]
    public void Drawn_preferences_stay_at_the_optimum_s_distance()
    {
        var kl = KlAtFourths(new BradleyTerryPreference(3));
        Assert.All(kl[1..], value => Assert.InRange(value, 0.7 * OptimalKl(), 1.3 * OptimalKl()));
    }

    private static double OptimalKl() =>
        ClosedForm.Kl(ClosedForm.Optimum(Space.Reference(0), Space.Rewards(0), Beta), Space.Reference(0));

    // The exact KL(π_θ‖π_ref), in nats, after each fourth of a training.
    private static double[] KlAtFourths(IPreference preference)
    {
        const int steps = 400;
        var kl = new List<double>();
        var training = new TabularTraining(Space, new DpoObjective(Beta, preference)) { FromReference = true, Steps = steps };
        training.Run((step, table) =>
        {
            if ((step + 1) % (steps / 4) == 0) kl.Add(ClosedForm.Kl(Space.Probabilities(table, 0), Space.Reference(0)));
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"KL {string.Join(", ", kl)}; of π* {OptimalKl()}");
        return [.. kl];
    }
}
