using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Decoding;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Measures of sampled tokens against float64, by the kernel and by operators.</summary>
public sealed class MeasuresTests
{
    private const float Never = float.NegativeInfinity;

    public static MatrixTheoryData<ReadoutPath, double, int> Cases { get; } =
        new([ReadoutPath.Kernel, ReadoutPath.Operators], [-1, 0, .3, .5, 1, 2, 10], [5, 4099]);

    [Theory, MemberData(nameof(Cases))]
    public void Measures_are_float64s(ReadoutPath path, double strength, int vocabularySize)
    {
        float[][] models = [Random(1, vocabularySize), Random(2, vocabularySize)];
        Check(models, strength, Run(path, models, strength));
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Three_models_each_have_their_own(ReadoutPath path)
    {
        float[][] models = [Random(1, 300), Random(2, 300), Random(3, 300)];
        foreach (var strengths in (AlignmentStrengths[])[new(.5, .25), new(0, 1), new(2, -1), new(.2), 0])
            Check(models, strengths, Run(path, models, strengths));
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Measures_and_none_give_the_same_token_and_log_probabilities(ReadoutPath path)
    {
        float[][] models = [Random(1, 1003), Random(2, 1003)];
        foreach (var strength in (double[])[-.5, 0, .4, 1, 3])
            for (var draw = 0; draw < 40; draw++)
            {
                SamplingParameters parameters = (draw % 4) switch
                {
                    0 => new(),
                    1 => new() { Temperature = 0 },
                    2 => new() { TopK = 7, Temperature = 1.5f },
                    _ => new() { TopP = .9f, MinP = .01f, LogitBias = new Dictionary<int, float> { [3] = 2 } },
                };
                var measured = Run(path, models, strength, parameters, Rows.Key(draw));
                var plain = Run(path, models, strength, parameters, Rows.Key(draw), top: null);
                Assert.Null(plain.Measures);
                Assert.Equal((plain.Token, plain.LogProbs!.LogProb), (measured.Token, measured.LogProbs!.LogProb));
                Assert.Equal(measured.Token, measured.Measures!.Token);
                Check(models, strength, measured);
            }
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel, .5, new[] { .3750, .1250, .25, .25 }, new[] { .3541, .1180, .2639, .2639 })]
    [InlineData(ReadoutPath.Operators, .5, new[] { .3750, .1250, .25, .25 }, new[] { .3541, .1180, .2639, .2639 })]
    [InlineData(ReadoutPath.Kernel, 2, new[] { .4939, .0061, .25, .25 }, new[] { .6136, .0076, .1894, .1894 })]
    [InlineData(ReadoutPath.Operators, 2, new[] { .4939, .0061, .25, .25 }, new[] { .6136, .0076, .1894, .1894 })]
    public void Texts_weighed_by_the_sum_of_log_Z_are_those_of_the_mixture_of_whole_texts(
        ReadoutPath path, double strength, double[] byToken, double[] exact)
    {
        // Texts aa, ab, ba, bb: the reference has each with .25, the aligned model with .45, .05, .25, .25.
        float[] even = [0, 0], afterA = [MathF.Log(.9f), MathF.Log(.1f)];
        TokenMeasures Draw(float[] aligned, int token) =>
            Run(path, [even, aligned], strength, new SamplingParameters { AllowedTokens = [token] }, top: 0).Measures!;
        TokenMeasures[][] texts =
        [
            [Draw(even, 0), Draw(afterA, 0)], [Draw(even, 0), Draw(afterA, 1)],
            [Draw(even, 1), Draw(even, 0)], [Draw(even, 1), Draw(even, 1)],
        ];
        double[] drawn = [.. texts.Select(text => Math.Exp(text.Sum(token => token.LogProb)))];
        double[] weighed = [.. texts.Zip(drawn, (text, p) => p * Math.Exp(text.Sum(token => token.LogZ)))];
        Assert.Equal(byToken, drawn, (a, b) => Math.Abs(a - b) < 6e-5);
        Assert.Equal(exact, weighed.Select(weight => weight / weighed.Sum()), (a, b) => Math.Abs(a - b) < 6e-5);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void A_token_that_is_impossible_in_a_model_without_a_weight_changes_nothing_of_the_others(ReadoutPath path)
    {
        float[][] models = [[0, Never, 1], [1, 2, Never]];
        var result = Run(path, models, 1, new SamplingParameters { Temperature = 0 });
        var (token, found) = (result.Token, result.Measures!);
        Assert.Equal((1, 0), (token, found.LogZ));
        Assert.Equal(double.NegativeInfinity, found.Models[0].LogProb);
        Assert.Equal(double.PositiveInfinity, found.Models[0].Divergence);
        Assert.Equal(double.PositiveInfinity, found.ImplicitReward(1));
        Assert.Equal(0, found.Models[1].Divergence, 1e-7);
        Assert.Equal(-Math.Log(1 + Math.Exp(-1)), found.Models[1].LogProb, 1e-6);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void What_is_impossible_in_both_models_adds_nothing(ReadoutPath path)
    {
        float[][] models = [[2, Never, 1, 0], [0, Never, 1, 3]];
        foreach (var strength in (double[])[0, .5, 1])
            Check(models, strength, Run(path, models, strength, top: 2));
        // Beyond 1 what the aligned model alone forbids has no weight, and no reward is lost to it.
        Check([[2, 1, 0], [0, 1, Never]], 2, Run(path, [[2, 1, 0], [0, 1, Never]], 2, top: 2));
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Logits_that_are_not_finite_in_any_model_fail(ReadoutPath path)
    {
        Assert.Contains("not finite", Run(path, [[1, float.NaN, 3], [1, 2, 4]], 1).Error);
        Assert.Contains("not finite", Run(path, [[1, 2, 3], [1, float.PositiveInfinity, 4]], 0).Error);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Models_that_are_the_same_have_no_divergence_and_no_weight_to_correct(ReadoutPath path)
    {
        var row = Random(5, 900);
        var found = Run(path, [row, row], .5).Measures!;
        Assert.Equal(0, found.LogZ, 1e-6);
        Assert.All(found.Models, model => Assert.Equal(0, model.Divergence, 1e-6));
        Assert.Equal(0, found.ImplicitReward(1));
    }

    /// <summary>Rounding in float32 is amplified by |λ| + |1 − λ|.</summary>
    private static void Check(float[][] models, AlignmentStrengths strengths, ReadoutResult result)
    {
        var found = result.Measures!;
        var weights = Enumerable.Range(0, models.Length).Select(strengths.OfMember).ToArray();
        var tolerance = 1e-5 * weights.Sum(Math.Abs);
        var logProbs = Array.ConvertAll(models, ReferenceSampler.LogProbs);
        var unnormalised = Enumerable.Range(0, models[0].Length).Select(v => weights.Select((weight, model) =>
            weight == 0 ? 0 : weight * logProbs[model][v]).Sum()).ToArray();
        var logZ = LogSum(unnormalised);
        double[] mixture = [.. unnormalised.Select(value => value - logZ)];
        Assert.Equal(mixture[result.Token], found.LogProb, tolerance);
        Assert.Equal(logZ, found.LogZ, tolerance);
        Assert.Equal(models.Length, found.Models.Count);
        for (var model = 0; model < models.Length; model++)
        {
            var divergence = mixture.Zip(logProbs[model], (p, q) => p == Never ? 0 : Math.Exp(p) * (p - q)).Sum();
            Assert.Equal(logProbs[model][result.Token], found.Models[model].LogProb, 1e-5);
            Assert.Equal(divergence, found.Models[model].Divergence, tolerance);
            CheckTop(logProbs[model], found.Models[model].Top);
        }
        CheckTop(mixture, found.Top, tolerance);
        if (weights.All(weight => weight >= 0)) Assert.True(found.LogZ <= 0);
    }

    private static void CheckTop(double[] logProbs, IReadOnlyList<(int Token, float LogProb)> top, double tolerance = 1e-5)
    {
        Assert.All(top, item => Assert.Equal(logProbs[item.Token], item.LogProb, tolerance));
        Assert.Equal(logProbs.OrderDescending().Take(top.Count), top.Select(item => (double)item.LogProb), (a, b) =>
            a.Equals(b) || Math.Abs(a - b) <= tolerance);
        Assert.Equal(top.Count, top.Select(item => item.Token).Distinct().Count());
    }

    private static double LogSum(double[] values) => values.Max() + Math.Log(values.Sum(value => Math.Exp(value - values.Max())));

    private static float[] Random(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 8 * random.NextSingle() - 4)];
    }

    private static ReadoutResult Run(ReadoutPath path, float[][] models, AlignmentStrengths strengths,
        SamplingParameters? parameters = null, ulong noiseKey = 7, int? top = 3)
    {
        using var scope = NewDisposeScope();
        ModelLogits[] members = [.. models.Select(row => new ModelLogits(tensor(row, [1, row.Length]), [0]))];
        var row = Rows.Sampled(0, parameters ?? new SamplingParameters(), noiseKey, logProbs: 0);
        return Rows.Run(path, members, [row with
        {
            Strengths = top is null ? strengths : strengths.WithAllModels(models.Length),
            Sampling = row.Sampling!.Value with { Measures = top },
        }], models[0].Length)[0];
    }
}
