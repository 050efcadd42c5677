using DeRa.Lab.Objectives;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Objectives;

public class BatchDiagnosticsTests
{
    private static readonly TabularSpace Space = new(seed: 61, vocabulary: 3, length: 4, prompts: 1, endToken: 0);

    [Fact]
    public void Both_estimators_average_to_the_exact_kl_on_the_policy_s_own_completions()
    {
        var (policy, exact) = (Space.Probabilities(Policy(), 0), Kl());
        var cumulative = policy.Select((_, i) => policy[..(i + 1)].Sum()).ToArray();
        var random = new Random(7);
        var rows = Enumerable.Range(0, 20_000).Select(_ => Index(cumulative, random.NextDouble())).ToArray();
        var seen = Of(rows, Policy());

        // Four standard errors of the mean log-ratio; the k3 of tokens has less variance than that.
        var variance = policy.Zip(Space.Reference(0), (p, q) => p * Math.Pow(Math.Log(p / q) - exact, 2)).Sum();
        var error = 4 * Math.Sqrt(variance / rows.Length);
        Assert.True(exact > 10 * error, $"KL {exact:F4}, error {error:F4}");
        Assert.InRange(seen.KlK1, exact - error, exact + error);
        Assert.InRange(seen.KlK3, exact - error, exact + error);
        Assert.Equal(rows.Average(row => Space.Rewards(0)[row]), seen.MeanReward, 1e-6);
    }

    /// <summary>The reference's completions, in its proportions: unweighted, k1 would show −KL(π_ref‖π_θ).</summary>
    [Fact]
    public void Both_estimators_are_right_for_the_reference_s_completions()
    {
        var rows = Space.Reference(0).SelectMany((p, row) => Enumerable.Repeat(row, (int)Math.Round(20_000 * p))).ToArray();
        var seen = Of(rows[..(rows.Length / 2 * 2)], Space.ReferenceLogits);
        Assert.Equal(Kl(), seen.KlK1, 0.005);
        Assert.Equal(Kl(), seen.KlK3, 0.005);
    }

    [Fact]
    public void A_policy_that_is_the_reference_has_no_kl()
    {
        using var scope = NewDisposeScope();
        var reference = Space.Table(Space.ReferenceLogits);
        var seen = BatchDiagnostics.Of(Space.Batch(reference, reference, [0, 3, 7, 9], 2));
        Assert.Equal((0, 0), (seen.KlK1, seen.KlK3));
    }

    private static BatchDiagnostics Of(int[] rows, double[] proposal)
    {
        using var scope = NewDisposeScope();
        return BatchDiagnostics.Of(Space.Batch(Space.Table(Policy()), Space.Table(proposal), rows, 2));
    }

    private static double Kl() => ClosedForm.Kl(Space.Probabilities(Policy(), 0), Space.Reference(0));

    private static double[] Policy() => [.. Space.ReferenceLogits.Select((logit, i) => logit + 0.7 * Math.Sin(3 * i + 1))];

    private static int Index(double[] cumulative, double quantile)
    {
        var index = Array.FindIndex(cumulative, value => quantile < value);
        return index < 0 ? cumulative.Length - 1 : index;
    }
}
