using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Random traces: sequences of different strengths and lengths start, run in chunks and end beside each other.</summary>
public sealed class MixedStepTests
{
    private const int BlocksEach = 5;

    [Theory]
    [InlineData("pair/sft", "pair/aligned", 300)]
    [InlineData("qwen2", "qwen2", 139)]
    [InlineData("gemma2", "gemma2", 124)]
    [InlineData("gpt2", "gpt_neox-sequential", 116)]
    public void Every_sequence_of_a_random_trace_equals_its_solo_run(string reference, string aligned, int vocabularySize)
    {
        using var executor = GoldenPair.Load(GoldenPair.Options(reference, aligned), vocabularySize).Executor;
        var random = new Random(vocabularySize);
        double[] strengths = [0, 1, 0.5, -0.5, 1.7, 0, 3, 1];
        var free = new Stack<int>(Enumerable.Range(0, 8 * BlocksEach).OrderBy(_ => random.Next()));
        var waiting = new Queue<Trace>(Enumerable.Range(0, 24).Select(i => new Trace(
            [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(vocabularySize))], strengths[i % 8], random.Next(1, 25))));
        var running = new List<(Trace Trace, TestSequence Sequence, int[] Blocks)>();
        while (waiting.Count + running.Count > 0)
        {
            while (waiting.Count > 0 && running.Count < 8 && random.Next(2) == 0) Start(waiting.Dequeue());
            if (running.Count == 0) continue;
            var rows = running.Select(item => item.Sequence.NextRow(random.Next(1, 20), vocabularySize)).ToList();
            var results = executor.Run(rows);
            for (var i = rows.Count - 1; i >= 0; i--) Commit(i, rows[i], results[i]);
        }

        void Start(Trace trace)
        {
            int[] blocks = [.. Enumerable.Range(0, BlocksEach).Select(_ => free.Pop())];
            running.Add((trace, new TestSequence(trace.Prompt, trace.Strength, blocks), blocks));
        }

        void Commit(int index, TestRow row, TestResult result)
        {
            var (trace, sequence, blocks) = running[index];
            sequence.Commit(row, result);
            if (sequence.Output.Count() < trace.OutputTokens) return;
            running.RemoveAt(index);
            AssertEqualsSolo(executor, trace, sequence, blocks);
            foreach (var block in blocks) free.Push(block);
        }
    }

    private static void AssertEqualsSolo(PairExecutor executor, Trace trace, TestSequence sequence, int[] blocks)
    {
        var solo = new TestSequence(trace.Prompt, trace.Strength, blocks);
        while (solo.Output.Count() < trace.OutputTokens)
        {
            var row = solo.NextRow(logProbs: executor.Limits.VocabularySize);
            solo.Commit(row, executor.Run(row)[0]);
        }
        Assert.Equal(solo.Tokens, sequence.Tokens);
        var tolerance = 2e-5 * (Math.Abs(trace.Strength) + Math.Abs(1 - trace.Strength));
        foreach (var (expected, actual) in solo.LogProbs.Zip(sequence.LogProbs))
            Assert.All(TestSequence.Distribution(expected).Zip(TestSequence.Distribution(actual)), pair =>
                Assert.InRange(pair.Second - pair.First, -tolerance, tolerance));
    }

    private sealed record Trace(int[] Prompt, double Strength, int OutputTokens);
}
