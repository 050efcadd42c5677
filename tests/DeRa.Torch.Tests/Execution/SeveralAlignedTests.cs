using DeRa.Engine.Requests;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Pairs of several aligned models whose mixture is known: one that comes twice counts with the sum of its strengths, and one
/// that is the reference counts as the reference.
/// </summary>
public sealed class SeveralAlignedTests
{
    private static readonly GoldenMix Mix = GoldenMix.Load();

    [Theory]
    [InlineData(false), InlineData(true)]
    public void An_aligned_model_that_comes_twice_counts_with_the_sum_of_its_strengths(bool copied)
    {
        using var copy = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/aligned"));
        var path = GoldenData.Committed("pair/aligned");
        using var executor = Load(new AlignedFolder("one", path), new AlignedFolder("two", copied ? copy.Path : path));
        AssertGolden(executor, lambda => [new(lambda + 0.25, -0.25), new(0, lambda), new(lambda / 2, lambda / 2), new(lambda)]);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void An_aligned_model_that_is_the_reference_changes_nothing(bool copied)
    {
        using var copy = new TemporaryFolder().CopyFrom(GoldenData.Committed("pair/sft"));
        var path = GoldenData.Committed("pair/sft");
        using var executor = Load(
            new AlignedFolder("same", copied ? copy.Path : path), new AlignedFolder("aligned", GoldenData.Committed("pair/aligned")));
        AssertGolden(executor, lambda => [new(0.5, lambda), new(-0.5, lambda), new(1 - lambda, lambda)]);
    }

    private static PairExecutor Load(params AlignedFolder[] aligned) =>
        GoldenPair.Load(GoldenPair.Options() with { Aligned = aligned, CacheTokens = 8192 }).Executor;

    /// <summary>All golden cases in one batch, each once for each way to write its strength.</summary>
    private static void AssertGolden(PairExecutor executor, Func<double, AlignmentStrengths[]> ways)
    {
        var runs = Mix.Cases.SelectMany(golden => ways(golden.Strength).Select(strengths => (golden, strengths)))
            .Select((run, i) => (run.golden, Sequence: new TestSequence(
                Mix.Prompts[run.golden.Prompt].InputIds, run.strengths, [.. Enumerable.Range(0, 4).Select(block => 4 * i + 3 - block)])))
            .ToList();
        while (runs.FindAll(run => run.Sequence.Output.Count() < 24) is { Count: > 0 } running)
        {
            var rows = running.Select((run, i) => run.Sequence.NextRow(1 + i % 9)).ToList();
            var results = executor.Run(rows);
            for (var i = 0; i < rows.Count; i++) running[i].Sequence.Commit(rows[i], results[i]);
        }
        foreach (var (golden, sequence) in runs)
        {
            Assert.Equal(golden.GreedyIds, sequence.Output);
            var actual = sequence.LogProbs.SelectMany(TestSequence.Distribution);
            var largest = golden.LogProbs().Zip(actual, (expected, own) => Math.Abs(expected - own)).Max();
            Assert.InRange(largest, 0, 2 * GoldenMix.Tolerance(golden.Strength));
        }
    }
}
