using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Decoding;
using DeRa.Torch.Native;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Both paths of the sampler against the same rules written plainly in double precision.</summary>
public sealed class SamplerAgainstReferenceTests
{
    [Theory]
    [InlineData(ReadoutPath.Kernel, 3)]
    [InlineData(ReadoutPath.Kernel, 50)]
    [InlineData(ReadoutPath.Kernel, 1000)]
    [InlineData(ReadoutPath.Operators, 3)]
    [InlineData(ReadoutPath.Operators, 50)]
    [InlineData(ReadoutPath.Operators, 1000)]
    public void Random_rows_give_the_reference_s_tokens(ReadoutPath path, int vocabularySize)
    {
        var random = new Random(vocabularySize);
        var (compared, undecided) = (0, 0);
        for (var round = 0; round < 40; round++)
        {
            var count = random.Next(1, 40);
            var (reference, aligned) = (RandomLogits(random, count, vocabularySize), RandomLogits(random, count, vocabularySize));
            var rows = Enumerable.Range(0, count).Select(_ => RandomRow(random, vocabularySize)).ToArray();
            var results = Rows.Run(path, reference, aligned, rows, vocabularySize);
            for (var row = 0; row < count; row++)
            {
                var mixed = ReferenceSampler.Mix(reference[row], aligned[row], rows[row].Strengths[0]);
                if (IsUndecided(ReferenceSampler.DistanceToBoundary(mixed, rows[row].Sampling!.Value), rows[row])) undecided++;
                else compared++;
                AssertAgrees(mixed, rows[row], results[row]);
            }
        }
        Assert.True(compared > 20 * undecided, $"{undecided} rows lay too near a boundary, {compared} were compared");
    }

    /// <summary>Sharp rows keep few tokens, flat ones thousands.</summary>
    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void Rows_that_keep_few_tokens_or_many_give_the_reference_s_tokens(ReadoutPath path)
    {
        const int VocabularySize = 9001;
        var random = new Random(VocabularySize);
        var (compared, flat) = (0, 0);
        for (var round = 0; round < 4; round++)
        {
            var logits = RandomLogits(random, 24, VocabularySize);
            // Coarse values tie at the filters' boundaries, where the lowest ids must be kept.
            if (round % 2 == 0) logits = [.. logits.Select(Coarse)];
            var rows = Enumerable.Range(0, logits.Length).Select(_ => RandomFilter(random, VocabularySize)).ToArray();
            var results = Rows.Run(path, logits, logits, rows, VocabularySize);
            for (var row = 0; row < rows.Length; row++)
            {
                AssertAgrees(logits[row], rows[row], results[row]);
                if (IsUndecided(ReferenceSampler.DistanceToBoundary(logits[row], rows[row].Sampling!.Value), rows[row])) continue;
                compared++;
                if (ReferenceSampler.Distribution(logits[row], rows[row].Sampling!.Value).Count(p => p > 0) >= 300) flat++;
            }
        }
        Assert.True(compared > 50 && flat > 10 && compared - flat > 10, $"{compared} rows compared, {flat} of them flat");
    }

    [Theory]
    [InlineData(ReadoutPath.Kernel, torch.ScalarType.BFloat16)]
    [InlineData(ReadoutPath.Kernel, torch.ScalarType.Float16)]
    [InlineData(ReadoutPath.Operators, torch.ScalarType.BFloat16)]
    [InlineData(ReadoutPath.Operators, torch.ScalarType.Float16)]
    public void Logits_of_half_precision_are_mixed_in_float32(ReadoutPath path, torch.ScalarType type)
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 50).Select(_ => RandomRow(random, 200)).ToArray();
        // Values of both 16-bit types, with the many ties that real models have in them.
        float[][] reference = [.. RandomLogits(random, 50, 200).Select(Coarse)],
            aligned = [.. RandomLogits(random, 50, 200).Select(Coarse)];
        var results = Rows.Run(path, reference, aligned, rows, 200, type);
        for (var row = 0; row < rows.Length; row++)
            AssertAgrees(ReferenceSampler.Mix(reference[row], aligned[row], rows[row].Strengths[0]), rows[row], results[row]);
    }

    [Fact, Trait("Device", "cuda")]
    public void Rows_on_CUDA_give_the_reference_s_tokens()
    {
        Assert.SkipWhen(LibTorch.Load().CudaDevices == 0,
            "needs a CUDA device and a CUDA build of libtorch (DERA_LIBTORCH), which are not here");
        foreach (var vocabularySize in new[] { 50, 1000, 9001 })
        {
            var random = new Random(vocabularySize);
            float[][] reference = [.. RandomLogits(random, 40, vocabularySize).Select(Coarse)],
                aligned = RandomLogits(random, 40, vocabularySize);
            var rows = Enumerable.Range(0, 40).Select(_ => RandomRow(random, vocabularySize)).ToArray();
            var results = Rows.Run(ReadoutPath.Operators, reference, aligned, rows, vocabularySize, device: torch.CUDA);
            for (var row = 0; row < rows.Length; row++)
                AssertAgrees(ReferenceSampler.Mix(reference[row], aligned[row], rows[row].Strengths[0]), rows[row], results[row]);
        }
    }

    private static void AssertAgrees(float[] mixed, LogitRow row, ReadoutResult result)
    {
        Assert.Null(result.Error);
        var distance = ReferenceSampler.DistanceToBoundary(mixed, row.Sampling!.Value);
        if (!IsUndecided(distance, row)) Assert.Equal(ReferenceSampler.Token(mixed, row.Sampling!.Value), result.Token);
        if (result.LogProbs is { } logProbs) Assert.Equal(ReferenceSampler.LogProbs(mixed)[result.Token], logProbs.LogProb, 2e-5);
    }

    /// <summary>Float32 moves a mixed logit by about 1e-6 · (|λ| + |1 − λ|); exact ties stay ties.</summary>
    private static bool IsUndecided(SamplingDistance distance, LogitRow row)
    {
        var rounding = 2e-6 * (Math.Abs(row.Strengths[0]) + Math.Abs(1 - row.Strengths[0]));
        var temperature = Math.Max(row.Sampling!.Value.Parameters.Temperature, .01);
        if (row.Sampling.Value.Parameters.Temperature == 0) return distance.TopTwoLogits > 0 && distance.TopTwoLogits < rounding;
        var cut = distance.Cut == 0 ? double.PositiveInfinity : distance.Cut;
        // A sum of logit and noise is rounded itself, by the operators to float32.
        return cut < rounding / temperature || distance.TopTwoScores < rounding / temperature + 4e-6;
    }

    private static float[] Coarse(float[] logits) => Array.ConvertAll(logits, logit => MathF.Round(logit * 8) / 8);

    private static float[][] RandomLogits(Random random, int rows, int vocabularySize) =>
        [.. Enumerable.Range(0, rows)
            .Select(_ => Enumerable.Range(0, vocabularySize).Select(_ => (float)(random.NextDouble() * 12 - 6)).ToArray())];

    private static LogitRow RandomFilter(Random random, int vocabularySize) => Rows.Sampled(0, new SamplingParameters
    {
        Temperature = Any(random, [.05f, .2f, 1, 2]),
        TopK = Any(random,
            [0, 0, 5, 255, 1000, vocabularySize / 2]),
        TopP = Any(random, [1, .5f, .9f, .99f]),
        MinP = Any(random, [0, 0, .05f, .5f]),
        TypicalP = Any(random, [1, 1, .5f, .95f]),
    }, (ulong)random.NextInt64());

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
        return Rows.Sampled(Any(random, strengths), parameters, (ulong)random.NextInt64(), Any<int?>(random, [null, 0, 3]),
            Tokens(random, vocabularySize), Tokens(random, vocabularySize));
    }

    private static T Any<T>(Random random, T[] values) => values[random.Next(values.Length)];

    private static int[] Tokens(Random random, int vocabularySize) =>
        [.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(vocabularySize))];
}
