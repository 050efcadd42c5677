using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>
/// Rows in which logits of some models are not known, and the mean differences with which they are estimated, against plain float64
/// arithmetic; the kernel and libtorch's operators both.
/// </summary>
public sealed class GuessTests
{
    private const int VocabularySize = 37;
    private const int Models = 3;

    [Theory]
    [InlineData(ReadoutPath.Kernel), InlineData(ReadoutPath.Operators)]
    public void A_mean_is_a_plain_average_of_clamped_differences_and_a_moving_one_after_a_thousand(ReadoutPath path)
    {
        using var scope = torch.NewDisposeScope();
        var random = new Random(6);
        var expected = new double[Models, VocabularySize];
        using var means = new MeanDifferences(Models, VocabularySize, torch.CPU);
        for (var n = 1; n <= 1200; n++)
        {
            var logits = Logits(random, scale: 3 + n % 3);
            (logits[0][4], logits[1][5], logits[2][6]) = (float.NegativeInfinity, float.NaN, float.PositiveInfinity);
            Run(path, logits, [Decision(new(.5, .25)) with { UpdatesMeans = true }], means);
            for (var model = 1; model < Models; model++)
                for (var v = 0; v < VocabularySize; v++)
                {
                    var difference = (double)logits[model][v] - logits[0][v];
                    difference = double.IsFinite(difference) ? Math.Clamp(difference, -3, 3) : 0;
                    expected[model, v] += (difference - expected[model, v]) / Math.Min(n, 1000);
                }
            if (n is not (1 or 50 or 1000 or 1200)) continue;
            for (var model = 0; model < Models; model++)
                for (var v = 0; v < VocabularySize; v++) Assert.Equal(expected[model, v], means.Of(model)[v], 1e-5);
        }
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel), InlineData(ReadoutPath.Operators)]
    public void A_decision_updates_the_means_of_its_own_models_only(ReadoutPath path)
    {
        using var scope = torch.NewDisposeScope();
        using var means = new MeanDifferences(Models, VocabularySize, torch.CPU);
        var logits = Logits(new Random(7), scale: 1);
        Run(path, logits, [Decision(new(.5, .25)), Decision(new(0, 2)) with { UpdatesMeans = true }], means);
        Assert.All(means.Of(1).ToArray(), mean => Assert.Equal(0, mean));
        for (var v = 0; v < VocabularySize; v++) Assert.Equal(logits[2][v] - logits[0][v], means.Of(2)[v], 1e-6);
    }

    public static TheoryData<double, double, int[]> Guesses { get; } = new()
    {
        { .5, 0, [0] }, { .5, 0, [1] }, { 2, 0, [0] }, { 2, 0, [1] }, { -.5, 0, [1] },
        { .5, .25, [0] }, { .5, .25, [1] }, { .5, .25, [2] }, { .5, .25, [0, 1] }, { .5, .25, [0, 2] }, { .5, .25, [1, 2] },
        { .4, .6, [2] }, { -1, 1.5, [0, 1] },
    };

    [Theory, MemberData(nameof(Guesses))]
    public void A_model_that_is_not_known_is_taken_to_differ_from_the_last_known_one_as_their_means_do(
        double first, double second, int[] known)
    {
        using var scope = torch.NewDisposeScope();
        var random = new Random(8);
        using var means = new MeanDifferences(Models, VocabularySize, torch.CPU);
        for (var n = 0; n < 20; n++)
            Run(ReadoutPath.Kernel, Logits(random, scale: 2), [Decision(new(.5, .25)) with { UpdatesMeans = true }], means);
        var (logits, strengths) = (Logits(random, scale: 4), new AlignmentStrengths(first, second));
        foreach (var used in new[] { means, null })
        {
            var expected = LogSoftmax(v => strengths.ActiveModels.Sum(model => strengths.OfMember(model) * (known.Contains(model)
                ? logits[model][v]
                : logits[known[^1]][v] + (double)(used?.Of(model)[v] ?? 0) - (used?.Of(known[^1])[v] ?? 0))));
            foreach (var path in Enum.GetValues<ReadoutPath>())
            {
                var result = Run(path, logits, [Decision(strengths) with { KnownModels = known }], used)[0];
                Assert.Null(result.Error);
                Assert.All(result.LogProbs!.Top, top => Assert.Equal(expected[top.Token], top.LogProb, 2e-5));
            }
        }
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel), InlineData(ReadoutPath.Operators)]
    public void Decisions_have_the_same_bits_beside_guesses_and_whatever_the_means_are(ReadoutPath path)
    {
        using var scope = torch.NewDisposeScope();
        var random = new Random(9);
        var logits = Logits(random, scale: 4);
        LogitRow[] decisions = [Decision(new(.5, .25)), Decision(new(2)), Decision(new(0, 1)), Decision(new())];
        var alone = Run(path, logits, decisions, means: null);
        using var means = new MeanDifferences(Models, VocabularySize, torch.CPU);
        for (var n = 0; n < 5; n++)
            Run(path, Logits(random, scale: 2), [Decision(new(.5, .25)) with { UpdatesMeans = true }], means);
        var guess = Decision(new(.5, .25)) with { KnownModels = [1] };
        var beside = Run(path, logits, [guess, .. decisions, guess with { Strengths = 2, KnownModels = [0] }], means);
        for (var i = 0; i < decisions.Length; i++)
        {
            Assert.Equal(alone[i].Token, beside[i + 1].Token);
            Assert.Equal(alone[i].LogProbs!.Top, beside[i + 1].LogProbs!.Top);
            Assert.Equal(alone[i].ReferenceDivergence, beside[i + 1].ReferenceDivergence);
        }
        Assert.NotNull(alone[0].ReferenceDivergence);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel), InlineData(ReadoutPath.Operators)]
    public void The_distance_of_a_guess_from_the_reference_is_not_measured(ReadoutPath path)
    {
        using var scope = torch.NewDisposeScope();
        var row = Decision(.5);
        var results = Run(path, Logits(new Random(10), scale: 1), [row, row with { KnownModels = [0] }], means: null);
        Assert.NotNull(results[0].ReferenceDivergence);
        Assert.Null(results[1].ReferenceDivergence);
    }

    [Fact]
    public void Means_leave_no_tensor_behind()
    {
        using var scope = torch.NewDisposeScope();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var means = new MeanDifferences(Models, VocabularySize, torch.CPU);
        var logits = Logits(new Random(11), scale: 1);
        foreach (var path in Enum.GetValues<ReadoutPath>())
            Run(path, logits, [Decision(.5) with { UpdatesMeans = true }, Decision(.5) with { KnownModels = [0] }], means);
        means.Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static LogitRow Decision(AlignmentStrengths strengths) =>
        Rows.Sampled(0, new SamplingParameters(), Rows.Key(3), VocabularySize, new int[8]) with { Strengths = strengths };

    /// <summary>Gives every row the same logits, each model's for the rows in which they are known.</summary>
    private static ReadoutResult[] Run(ReadoutPath path, float[][] logits, LogitRow[] rows, MeanDifferences? means)
    {
        using var scope = torch.NewDisposeScope();
        var members = logits.Select((own, model) =>
        {
            int[] ran = [.. Enumerable.Range(0, rows.Length).Where(row => rows[row].IsKnown(model))];
            return ran.Length == 0 ? ModelLogits.None
                : new ModelLogits(torch.tensor([.. ran.SelectMany(_ => own)], [ran.Length, VocabularySize]), ran);
        }).ToList();
        return Rows.Run(path, members, rows, VocabularySize, means);
    }

    private static float[][] Logits(Random random, float scale) => [.. Enumerable.Range(0, Models).Select(
        _ => Enumerable.Range(0, VocabularySize).Select(_ => scale * (random.NextSingle() - .5f)).ToArray())];

    private static double[] LogSoftmax(Func<int, double> logit)
    {
        var logits = Enumerable.Range(0, VocabularySize).Select(logit).ToArray();
        var logSum = Math.Log(logits.Sum(Math.Exp));
        return Array.ConvertAll(logits, own => own - logSum);
    }
}
