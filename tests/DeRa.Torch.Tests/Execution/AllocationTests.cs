using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>What a step leaves to the garbage collector: not more for many rows or long contexts than for one row.</summary>
public sealed class AllocationTests
{
    private const int Steps = 40;

    [Fact]
    public void A_step_allocates_no_more_with_more_rows_or_longer_contexts()
    {
        using var executor = GoldenPair.Load(GoldenPair.Options(), GoldenPair.VocabularySize).Executor;
        var one = Bytes(executor, rows: 1, position: 3);
        Assert.InRange(Bytes(executor, rows: 1, position: 60), 1, one + 512);
        Assert.InRange(Bytes(executor, rows: 24, position: 60), 1, one + 512);
    }

    /// <summary>The least of several equal steps: a method may be compiled in one of them.</summary>
    private static long Bytes(PairExecutor executor, int rows, int position)
    {
        var plan = PlainPlan.Of(executor.Limits, [.. Enumerable.Range(0, rows).Select(row => Row(row, position))]);
        var least = long.MaxValue;
        for (var step = 0; step < Steps; step++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var result = executor.Execute(plan);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(rows, result.Readouts.Count);
        }
        return least;
    }

    private static TestRow Row(int row, int position) => new()
    {
        Tokens = new[] { 7 + row },
        Position = position,
        BlockTable = [.. Enumerable.Range(4 * row, 4)],
        Strengths = .5,
        Sampling = new SamplingRow
        {
            Parameters = new SamplingParameters { TopP = .9f },
            NoiseKey = GumbelNoise.Key(1, 0, 0, position),
            History = new int[position + 1],
            PromptTokens = position,
        },
    };
}
