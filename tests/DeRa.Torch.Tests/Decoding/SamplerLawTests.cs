using DeRa.Engine.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>How often each token is drawn, over many keys, against its exact probability.</summary>
public sealed class SamplerLawTests
{
    private const int Draws = 4000, VocabularySize = 60;

    private static readonly (SamplingParameters Parameters, double Strength)[] s_cases =
    [
        (new(), 0),
        (new() { Temperature = .7f }, 1),
        (new() { Temperature = 2 }, .5),
        (new() { TopK = 10 }, 2),
        (new() { TopP = .8f }, -.5),
        (new() { MinP = .05f }, .3),
        (new() { TopK = 30, TopP = .95f, MinP = .02f, Temperature = 1.3f }, .5),
        (new() { RepetitionPenalty = 1.5f, FrequencyPenalty = .5f, PresencePenalty = -.3f, TopP = .9f }, .5),
        (new() { LogitBias = new Dictionary<int, float> { [7] = 3, [8] = -100 }, TopK = 20 }, 1.5),
        (new() { TypicalP = .5f }, .5),
        (new() { TypicalP = .8f, TopP = .95f, Temperature = 1.5f }, 2),
        (new() { AllowedTokens = [9, 3, 4, 50], PresencePenalty = 1 }, .5),
        (new() { BadWords = [[7], [4, 4, 8], [4, 3], [3, 4, 4, 9]], MinTokens = 4, EndTokens = [20, 21] }, .3),
    ];

    public static TheoryData<ReadoutPath, int> Cases { get; } = new(
        from path in Enum.GetValues<ReadoutPath>() from one in Enumerable.Range(0, s_cases.Length) select (path, one));

    [Theory, MemberData(nameof(Cases))]
    public void Draws_follow_the_distribution_that_the_rules_leave(ReadoutPath path, int number)
    {
        var (parameters, strength) = s_cases[number];
        var random = new Random(11);
        var (reference, aligned) = (Logits(random), Logits(random));
        var rows = Enumerable.Range(0, Draws)
            .Select(i => Rows.Sampled(strength, parameters, Rows.Key(i), null, [1, 2, 3], [3, 4, 4])).ToArray();
        var counts = new int[VocabularySize];
        foreach (var result in Rows.Run(path, [.. rows.Select(_ => reference)], [.. rows.Select(_ => aligned)], rows, VocabularySize))
            counts[result.Token]++;
        var mixed = ReferenceSampler.Mix(reference, aligned, strength);
        DrawLaw.AssertFollow(ReferenceSampler.Distribution(mixed, rows[0].Sampling!.Value), counts);
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Two_distributions_drawn_with_the_same_noise_agree_as_often_as_the_closed_formula_says(ReadoutPath path)
    {
        var random = new Random(2);
        for (var round = 0; round < 4; round++)
        {
            var (guesser, mixture) = (Logits(random), Logits(random));
            for (var token = 0; token < VocabularySize; token++) mixture[token] = guesser[token] + (round + 1) * .2f * mixture[token];
            var expected = Agreement(ReferenceSampler.LogProbs(guesser), ReferenceSampler.LogProbs(mixture));
            var (first, second) = (Tokens(path, guesser, Rows.Key), Tokens(path, mixture, Rows.Key));
            AssertRate(expected, first.Zip(second).Count(pair => pair.First == pair.Second));
        }
    }

    [Fact]
    public void Draws_that_differ_in_seed_choice_stream_or_position_are_independent()
    {
        var logits = Logits(new Random(3));
        var coincidence = ReferenceSampler.LogProbs(logits).Sum(logProb => Math.Exp(2 * logProb));
        Func<int, ulong>[] keys =
        [
            i => GumbelNoise.Key(1, 0, 0, i), i => GumbelNoise.Key(2, 0, 0, i), i => GumbelNoise.Key(1L | 1L << 40, 0, 0, i),
            i => GumbelNoise.Key(1, 1, 0, i), i => GumbelNoise.Key(1, 0, 1, i), i => GumbelNoise.Key(1, 0, 0, i + Draws),
        ];
        var tokens = Array.ConvertAll(keys, key => Tokens(ReadoutPath.Kernel, logits, key));
        for (var one = 0; one < tokens.Length; one++)
            for (var other = 0; other < one; other++)
                AssertRate(coincidence, tokens[one].Zip(tokens[other]).Count(pair => pair.First == pair.Second));
        // A position's token says nothing about the next one's.
        AssertRate(coincidence, tokens[0].Zip(tokens[0].Skip(1)).Count(pair => pair.First == pair.Second));
    }

    private static int[] Tokens(ReadoutPath path, float[] logits, Func<int, ulong> key)
    {
        var rows = Enumerable.Range(0, Draws).Select(i => Rows.Sampled(0, new(), key(i))).ToArray();
        return [.. Rows.Run(path, [.. rows.Select(_ => logits)], [], rows, VocabularySize).Select(result => result.Token)];
    }

    /// <summary>Σ_v 1 / Σ_w max(q_w / q_v, r_w / r_v).</summary>
    private static double Agreement(double[] logQ, double[] logR) => Enumerable.Range(0, VocabularySize).Sum(v =>
        1 / Enumerable.Range(0, VocabularySize).Sum(w => Math.Exp(Math.Max(logQ[w] - logQ[v], logR[w] - logR[v]))));

    /// <summary>Within four standard deviations.</summary>
    private static void AssertRate(double expected, int count) =>
        Assert.InRange(count / (double)Draws - expected, -4 * Deviation(expected), 4 * Deviation(expected));

    private static double Deviation(double rate) => Math.Sqrt(rate * (1 - rate) / Draws);

    private static float[] Logits(Random random) =>
        [.. Enumerable.Range(0, VocabularySize).Select(_ => (float)(random.NextDouble() * 12 - 6))];
}
