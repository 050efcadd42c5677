using DeRa.Engine.Requests;
using DeRa.Testing;
using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>The sampler on the device against the same rules written plainly in double precision.</summary>
public sealed class SamplerAgainstReferenceTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(1000)]
    public void Random_rows_give_the_reference_s_tokens(int vocabularySize)
    {
        var random = new Random(vocabularySize);
        var (compared, undecided) = (0, 0);
        for (var round = 0; round < 40; round++)
        {
            var count = random.Next(1, 40);
            var (reference, aligned) = (RandomLogits(random, count, vocabularySize), RandomLogits(random, count, vocabularySize));
            var rows = Enumerable.Range(0, count).Select(_ => RandomRow(random, vocabularySize)).ToArray();
            var results = Rows.Run(reference, aligned, rows);
            for (var row = 0; row < count; row++)
            {
                var mixed = ReferenceSampler.Mix(reference[row], aligned[row], rows[row].Strengths[0]);
                if (IsUndecided(ReferenceSampler.DistanceToBoundary(mixed, rows[row].Sampling!), rows[row])) undecided++;
                else compared++;
                AssertAgrees(mixed, rows[row], results[row]);
            }
        }
        Assert.True(compared > 20 * undecided, $"{undecided} rows lay too near a boundary, {compared} were compared");
    }

    /// <summary>Large vocabularies are filtered among each row's best tokens first; sharp rows keep few, flat ones thousands.</summary>
    [Theory]
    [InlineData(TokenFilter.MinVocabularyOfCandidates)]
    [InlineData(9001)]
    public void Rows_that_keep_more_than_the_candidates_give_the_reference_s_tokens_too(int vocabularySize)
    {
        var random = new Random(vocabularySize);
        var (compared, flat) = (0, 0);
        for (var round = 0; round < 6; round++)
        {
            var logits = RandomLogits(random, 24, vocabularySize);
            // Coarse values tie at the edge of the candidates, where the lowest ids must be kept.
            if (round % 2 == 0) logits = [.. logits.Select(Coarse)];
            var rows = Enumerable.Range(0, logits.Length).Select(_ => RandomFilter(random, vocabularySize)).ToArray();
            var results = Rows.Run(logits, logits, rows);
            for (var row = 0; row < rows.Length; row++)
            {
                AssertAgrees(logits[row], rows[row], results[row]);
                if (IsUndecided(ReferenceSampler.DistanceToBoundary(logits[row], rows[row].Sampling!), rows[row])) continue;
                compared++;
                if (ReferenceSampler.Distribution(logits[row], rows[row].Sampling!).Count(p => p > 0) >= TokenFilter.CandidateCount) flat++;
            }
        }
        Assert.True(compared > 70 && flat > 10 && compared - flat > 10, $"{compared} rows compared, {flat} of them flat");
    }

    [Fact]
    public void A_row_s_token_does_not_depend_on_its_neighbours()
    {
        var random = new Random(5);
        var (reference, aligned) = (RandomLogits(random, 64, 300), RandomLogits(random, 64, 300));
        var rows = Enumerable.Range(0, 64).Select(_ => RandomRow(random, 300)).ToArray();
        var together = Rows.Run(reference, aligned, rows);
        for (var row = 0; row < rows.Length; row++)
        {
            var alone = Rows.Run([reference[row]], [aligned[row]], [rows[row]])[0];
            Assert.Equal(alone.Token, together[row].Token);
            Assert.Equal(alone.LogProbs?.LogProb, together[row].LogProbs?.LogProb);
        }
    }

    /// <summary>N draws at (i + ½)/N hit a slot of probability p between N·p − 1 and N·p + 1 times: no chance is involved.</summary>
    [Theory]
    [MemberData(nameof(FrequencyCases))]
    public void An_even_grid_of_draws_reproduces_the_distribution(SamplingParameters parameters, double strength)
    {
        const int Draws = 4000, VocabularySize = 60;
        var random = new Random(11);
        var (reference, aligned) = (RandomLogits(random, 1, VocabularySize)[0], RandomLogits(random, 1, VocabularySize)[0]);
        var rows = Enumerable.Range(0, Draws)
            .Select(i => Rows.Sampled(strength, parameters, (i + .5) / Draws, null, [1, 2, 3], [3, 4, 4])).ToArray();
        var counts = new int[VocabularySize];
        foreach (var result in Rows.Run([.. rows.Select(_ => reference)], [.. rows.Select(_ => aligned)], rows)) counts[result.Token]++;
        var expected = ReferenceSampler.Distribution(ReferenceSampler.Mix(reference, aligned, strength), rows[0].Sampling!);
        for (var token = 0; token < VocabularySize; token++)
        {
            Assert.True(Math.Abs(counts[token] - Draws * expected[token]) <= 1.01,
                $"token {token}: {counts[token]} of {Draws * expected[token]}");
            if (expected[token] == 0) Assert.Equal(0, counts[token]);
        }
    }

    public static TheoryData<SamplingParameters, double> FrequencyCases => new()
    {
        { new SamplingParameters(), 0 },
        { new SamplingParameters { Temperature = .7f }, 1 },
        { new SamplingParameters { Temperature = 2 }, .5 },
        { new SamplingParameters { TopK = 10 }, 2 },
        { new SamplingParameters { TopP = .8f }, -.5 },
        { new SamplingParameters { MinP = .05f }, .3 },
        { new SamplingParameters { TopK = 30, TopP = .95f, MinP = .02f, Temperature = 1.3f }, .5 },
        { new SamplingParameters { RepetitionPenalty = 1.5f, FrequencyPenalty = .5f, PresencePenalty = -.3f, TopP = .9f }, .5 },
        { new SamplingParameters { LogitBias = new Dictionary<int, float> { [7] = 3, [8] = -100 }, TopK = 20 }, 1.5 },
        { new SamplingParameters { TypicalP = .5f }, .5 },
        { new SamplingParameters { TypicalP = .8f, TopP = .95f, Temperature = 1.5f }, 2 },
        { new SamplingParameters { AllowedTokens = [9, 3, 4, 50], PresencePenalty = 1 }, .5 },
        { new SamplingParameters { BadWords = [[7], [4, 4, 8], [4, 3], [3, 4, 4, 9]], MinTokens = 4, EndTokens = [20, 21] }, .3 },
    };

    [Theory]
    [InlineData(torch.ScalarType.BFloat16)]
    [InlineData(torch.ScalarType.Float16)]
    public void Logits_of_half_precision_are_mixed_in_float32(torch.ScalarType type)
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 50).Select(_ => RandomRow(random, 200)).ToArray();
        // Values of both 16-bit types, with the many ties that real models have in them.
        float[][] reference = [.. RandomLogits(random, 50, 200).Select(Coarse)],
            aligned = [.. RandomLogits(random, 50, 200).Select(Coarse)];
        var results = Rows.Run(reference, aligned, rows, 200, type);
        for (var row = 0; row < rows.Length; row++)
            AssertAgrees(ReferenceSampler.Mix(reference[row], aligned[row], rows[row].Strengths[0]), rows[row], results[row]);
    }

    private static void AssertAgrees(float[] mixed, LogitRow row, LogitRowResult result)
    {
        Assert.Null(result.Error);
        var distance = ReferenceSampler.DistanceToBoundary(mixed, row.Sampling!);
        if (!IsUndecided(distance, row)) Assert.Equal(ReferenceSampler.Token(mixed, row.Sampling!), result.Token);
        if (result.LogProbs is { } logProbs) Assert.Equal(ReferenceSampler.LogProbs(mixed)[result.Token], logProbs.LogProb, 2e-5);
    }

    /// <summary>Float32 moves a mixed logit by about 1e-6 · (|λ| + |1 − λ|); exact ties stay ties.</summary>
    private static bool IsUndecided(SamplingDistance distance, LogitRow row)
    {
        var rounding = 2e-6 * (Math.Abs(row.Strengths[0]) + Math.Abs(1 - row.Strengths[0]));
        var temperature = Math.Max(row.Sampling!.Parameters.Temperature, .01);
        if (row.Sampling.Parameters.Temperature == 0) return distance.TopTwoLogits > 0 && distance.TopTwoLogits < rounding;
        var cut = distance.Cut == 0 ? double.PositiveInfinity : distance.Cut;
        return Math.Min(distance.Cumulative, cut) < rounding / temperature;
    }

    private static float[] Coarse(float[] logits) => Array.ConvertAll(logits, logit => MathF.Round(logit * 8) / 8);

    private static float[][] RandomLogits(Random random, int rows, int vocabularySize) =>
        [.. Enumerable.Range(0, rows)
            .Select(_ => Enumerable.Range(0, vocabularySize).Select(_ => (float)(random.NextDouble() * 12 - 6)).ToArray())];

    private static LogitRow RandomFilter(Random random, int vocabularySize) => Rows.Sampled(0, new SamplingParameters
    {
        Temperature = Any(random, [.05f, .2f, 1, 2]),
        TopK = Any(random,
            [0, 0, 5, TokenFilter.CandidateCount - 1, TokenFilter.CandidateCount, TokenFilter.CandidateCount + 1, vocabularySize / 2]),
        TopP = Any(random, [1, .5f, .9f, .99f]),
        MinP = Any(random, [0, 0, .05f, .5f]),
        TypicalP = Any(random, [1, 1, .5f, .95f]),
    }, random.NextDouble());

    private static LogitRow RandomRow(Random random, int vocabularySize)
    {
        double[] strengths = [0, 1, .5, random.NextDouble(), 1 + 9 * random.NextDouble(), -random.NextDouble()];
        float[] temperatures = [0, 1, .01f, .5f, 2, (float)(.01 + random.NextDouble())];
        var parameters = new SamplingParameters
        {
            Temperature = Any(random, temperatures),
            TopK = Any(random, [0, 0, 1, 5, vocabularySize / 2, vocabularySize, 2 * vocabularySize]),
            TopP = Any(random, [1, 1, 1, .1f, .9f, (float)Math.Max(.01, random.NextDouble())]),
            MinP = Any(random, [0, 0, 0, .05f, 1, (float)random.NextDouble()]),
            RepetitionPenalty = Any(random, [1, 1, 1.2f, .8f]),
            FrequencyPenalty = Any(random, [0, 0, .5f, -1]),
            PresencePenalty = Any(random, [0, 0, 1.5f, -.25f]),
            LogitBias = random.Next(3) > 0 ? new() : new Dictionary<int, float> { [random.Next(vocabularySize)] = random.Next(-100, 100) },
            TypicalP = Any(random, [1, 1, 1, .2f, .9f, (float)Math.Max(.01, random.NextDouble())]),
            AllowedTokens = random.Next(4) > 0 ? null : [.. Tokens(random, vocabularySize).Append(0).Distinct()],
            BadWords = random.Next(3) > 0 ? []
                : [.. Enumerable.Range(0, 5).Select(_ => (int[])[.. Tokens(random, vocabularySize).Take(2), 1])],
            MinTokens = Any(random, [0, 0, 5, 30]),
            EndTokens = Tokens(random, vocabularySize),
        };
        return Rows.Sampled(Any(random, strengths), parameters, random.NextDouble(), Any<int?>(random, [null, 0, 3]),
            Tokens(random, vocabularySize), Tokens(random, vocabularySize));
    }

    private static T Any<T>(Random random, T[] values) => values[random.Next(values.Length)];

    private static int[] Tokens(Random random, int vocabularySize) =>
        [.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(vocabularySize))];
}
