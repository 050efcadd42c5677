using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>The pair against the mixed float64 results, at every strength.</summary>
public sealed class PairExecutorGoldenTests(PairExecutorGoldenTests.Fixture fixture) : IClassFixture<PairExecutorGoldenTests.Fixture>
{
    public sealed class Fixture : IDisposable
    {
        internal LoadedPair Pair { get; } = GoldenPair.Load();

        internal GoldenMix Mix { get; } = GoldenMix.Load();

        public void Dispose() => Pair.Executor.Dispose();
    }

    public static TheoryData<int> Chunks { get; } = [int.MaxValue, 5, 1];

    [Theory, MemberData(nameof(Chunks))]
    public void Greedy_tokens_and_whole_distributions_equal_the_golden_mixture(int chunk)
    {
        foreach (var golden in fixture.Mix.Cases)
        {
            var sequence = new TestSequence(fixture.Mix.Prompts[golden.Prompt].InputIds, golden.Strength, [7, 2, 9, 4]);
            sequence.Run(fixture.Pair.Executor, golden.GreedyIds.Length, chunk);
            Assert.Equal(golden.GreedyIds, sequence.Output);
            var actual = sequence.LogProbs.SelectMany(TestSequence.Distribution).ToArray();
            Assert.InRange(LargestDifference(golden.LogProbs(), actual), 0, GoldenMix.Tolerance(golden.Strength));
        }
    }

    [Theory, MemberData(nameof(Chunks))]
    public void Scores_of_prompt_tokens_equal_the_golden_ones(int chunk)
    {
        foreach (var golden in fixture.Mix.Scores)
        {
            var prompt = fixture.Mix.Prompts[golden.Prompt].InputIds;
            int[] tokens = [.. prompt, .. golden.ContinuationIds];
            var scores = new List<double>();
            for (var position = 0; position < tokens.Length - 1; position += Math.Min(chunk, tokens.Length))
            {
                var count = Math.Min(chunk, tokens.Length - 1 - position);
                var row = new TestRow
                {
                    Tokens = tokens.AsMemory(position, count),
                    Position = position,
                    BlockTable = [3, 1, 0, 5],
                    Strengths = golden.Strength,
                    ScoredTokens = tokens.AsMemory(position + 1, count),
                    ScoredAlternatives = 2,
                };
                var result = fixture.Pair.Executor.Run(row)[0];
                Assert.Equal(row.ScoredTokens.ToArray(), result.ScoredLogProbs.Select(score => score.Token));
                Assert.All(result.ScoredLogProbs, score => Assert.Equal(2, score.Top.Count));
                scores.AddRange(result.ScoredLogProbs.Select(score => (double)score.LogProb));
            }
            Assert.InRange(LargestDifference(golden.LogpMixed, [.. scores.Skip(prompt.Length - 1)]), 0,
                GoldenMix.Tolerance(golden.Strength));
        }
    }

    [Fact]
    public void All_cases_at_once_in_one_batch_equal_the_golden_mixture()
    {
        var cases = fixture.Mix.Cases;
        var sequences = cases.Select((golden, i) => new TestSequence(
            fixture.Mix.Prompts[golden.Prompt].InputIds, golden.Strength,
                Enumerable.Range(0, 4).Select(block => 4 * i + 3 - block).ToList())).ToList();
        for (var step = 0; sequences.Any(sequence => sequence.Output.Count() < 24); step++)
        {
            // Sequences start one after the other and with ragged chunks: every step mixes prefill and decode rows.
            var running = sequences.Where((sequence, i) => i <= step && sequence.Output.Count() < 24).ToList();
            var rows = running.Select((sequence, i) => sequence.NextRow(1 + (7 * i + 3 * step) % 11)).ToList();
            var results = fixture.Pair.Executor.Run(rows);
            for (var i = 0; i < rows.Count; i++) running[i].Commit(rows[i], results[i]);
        }
        foreach (var (golden, sequence) in cases.Zip(sequences))
        {
            Assert.Equal(golden.GreedyIds, sequence.Output);
            var actual = sequence.LogProbs.SelectMany(TestSequence.Distribution).ToArray();
            Assert.InRange(LargestDifference(golden.LogProbs(), actual), 0, GoldenMix.Tolerance(golden.Strength));
        }
    }

    [Fact]
    public void The_published_text_of_stories260k_comes_out_at_any_strength_of_a_model_with_itself()
    {
        var folder = SharedData.Find("models/stories260k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var published = DeRa.Torch.Verification.GoldenCase.Load(folder!)
            .Single(golden => golden.Name.StartsWith("published", StringComparison.Ordinal));
        var options = GoldenPair.Options() with { ReferencePath = folder!, Aligned = [new("aligned", folder!)] };
        var pair = GoldenPair.Load(options, vocabularySize: 512);
        using var executor = pair.Executor;
        Assert.Equal(0, pair.Members[1].WeightBytes);
        foreach (var strength in new[] { -0.5, 0, 0.5, 1, 1.5 })
        {
            var sequence = new TestSequence(published.InputIds, strength, Enumerable.Range(0, 16).Reverse().ToList());
            Assert.Equal(published.GreedyIds, sequence.Run(executor, published.GreedyIds.Length).Output);
        }
    }

    private static double LargestDifference(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (left, right) => Math.Abs(left - right)).Max(d => double.IsNaN(d) ? double.PositiveInfinity : d);
    }
}
