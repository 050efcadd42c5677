using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Decoding;

public sealed class StrengthScoresTests
{
    private static readonly AlignmentStrengths[] s_strengths = [-1, 0, .3, .5, 1, 2, 10];

    [Theory]
    [InlineData(ReadoutPath.Kernel, 5)]
    [InlineData(ReadoutPath.Kernel, 4099)]
    [InlineData(ReadoutPath.Operators, 5)]
    [InlineData(ReadoutPath.Operators, 4099)]
    public void Scores_at_many_strengths_are_float64s(ReadoutPath path, int vocabularySize)
    {
        float[][] models = [Random(1, vocabularySize), Random(2, vocabularySize)];
        var token = vocabularySize - 2;
        var found = Run(path, models, .5, new SweptToken(token, s_strengths)).Sweep!;
        Assert.Equal(token, found.Token);
        Check(models, token, s_strengths, found);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Three_models_are_mixed_by_their_own_strengths(ReadoutPath path)
    {
        float[][] models = [Random(1, 300), Random(2, 300), Random(3, 300)];
        AlignmentStrengths[] strengths = [new(.5, .25), new(0, 1), new(2, -1), new(.2), 0];
        Check(models, 7, strengths, Run(path, models, new(.25, .25), new SweptToken(7, strengths)).Sweep!);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void The_toy_of_the_paper_s_mixture_comes_out(ReadoutPath path)
    {
        var found = Run(path, [[2, 1, 0], [0, 1, 3]], .5, new SweptToken(2, [0, .5, 1, 2, -.5])).Sweep!;
        double[] expected = [.090031, .451863, .843795, .992976, .009690];
        foreach (var (probability, logProb) in expected.Zip(found.LogProbs)) Assert.Equal(probability, Math.Exp(logProb), 1e-6);
        Assert.Equal([Math.Log(.090030573), Math.Log(.843794734)], found.OfModels, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(0, found.KlToReference[0], 1e-7);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void A_token_outside_the_vocabulary_and_logits_that_are_not_finite_fail_alone(ReadoutPath path)
    {
        Assert.Contains("token to score", Run(path, [[1, 2, 3], [1, 2, 4]], .5, new SweptToken(3, [1])).Error);
        Assert.Contains("not finite", Run(path, [[1, 2, 3], [1, float.NaN, 4]], .5, new SweptToken(0, [1])).Error);
    }

    /// <summary>Rounding in float32 is amplified by |λ| + |1 − λ|.</summary>
    private static void Check(float[][] models, int token, AlignmentStrengths[] strengths, StrengthScores found)
    {
        var logProbs = Array.ConvertAll(models, LogProbs);
        Assert.Equal(logProbs.Select(row => row[token]), found.OfModels, (a, b) => Math.Abs(a - b) < 1e-5);
        for (var i = 0; i < strengths.Length; i++)
        {
            var mixed = Normalised([.. Enumerable.Range(0, models[0].Length).Select(v =>
                models.Select((row, model) => strengths[i].OfMember(model) * row[v]).Sum())]);
            var tolerance = 2e-6 * Enumerable.Range(0, models.Length).Sum(model => 5 * Math.Abs(strengths[i].OfMember(model)));
            Assert.Equal(mixed[token], found.LogProbs[i], tolerance);
            Assert.Equal(mixed.Zip(logProbs[0], (p, q) => Math.Exp(p) * (p - q)).Sum(), found.KlToReference[i], tolerance);
        }
    }

    private static double[] LogProbs(float[] logits) => Normalised(Array.ConvertAll(logits, logit => (double)logit));

    private static double[] Normalised(double[] logits)
    {
        var best = logits.Max();
        var sum = best + Math.Log(logits.Sum(logit => Math.Exp(logit - best)));
        return Array.ConvertAll(logits, logit => logit - sum);
    }

    private static float[] Random(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 8 * random.NextSingle() - 4)];
    }

    private static ReadoutResult Run(ReadoutPath path, float[][] models, AlignmentStrengths active, SweptToken sweep)
    {
        using var scope = NewDisposeScope();
        ModelLogits[] members = [.. models.Select(row => new ModelLogits(tensor(row, [1, row.Length]), [0]))];
        return Rows.Run(path, members, [new LogitRow { Strengths = active, Sweep = sweep }], models[0].Length)[0];
    }
}
