using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>A fork shares the full blocks of what it comes from and copies the last one, which both go on to write.</summary>
public sealed class BlockCopyTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(1, 21)];

    // Whole models with a cache of their own, and members that share one: the same folder, and an adapter.
    [Theory]
    [InlineData("pair/aligned"), InlineData("pair/sft"), InlineData("pair/lora", "pair/aligned", "pair/sft")]
    public void A_fork_goes_on_as_a_sequence_of_its_own_in_every_model(params string[] aligned)
    {
        using var executor = GoldenPair.Load(GoldenPair.Options() with
        {
            Aligned = [.. aligned.Select(folder => new AlignedFolder(folder, GoldenData.Committed(folder)))],
        }).Executor;
        AlignmentStrengths all = new([.. aligned.Select((_, i) => 0.3 + 0.1 * i)]);
        executor.Run(Row(Prompt, position: 0, [3, 1]));
        var plan = PlainPlan.Of(executor.Limits, Row([50, 51], Prompt.Length, [3, 1]), Row([60], Prompt.Length, [3, 6]),
            Row([70], Prompt.Length, [3, 0]));
        var results = executor.Execute(plan with { BlockCopies = [new(1, 1, 6), new(2, 1, 0)] }).Readouts;
        int[][] texts = [[.. Prompt, 50, 51], [.. Prompt, 60], [.. Prompt, 70]];
        foreach (var (text, result) in texts.Zip(results))
        {
            var alone = executor.Run(Row(text, position: 0, [8, 9]))[0];
            Assert.Equal(alone.LogProbs!.Top, result.LogProbs!.Top);
        }

        TestRow Row(int[] tokens, int position, int[] blocks) => new()
        {
            Tokens = tokens,
            Position = position,
            BlockTable = blocks,
            Strengths = all,
            Sampling = TestSequence.Greedy(GoldenPair.VocabularySize),
        };
    }

    [Fact]
    public void Blocks_are_read_before_any_is_written_and_may_be_copied_without_a_pass()
    {
        using var executor = GoldenPair.Load().Executor;
        int[][] prompts = [[1, 2, 3], [4, 5, 6]];
        var expected = prompts.Select(prompt => new TestSequence(prompt, strength: 0.5, [5]).Run(executor, 4).Tokens).ToList();
        for (var i = 0; i < 2; i++) executor.Run(new TestSequence(prompts[i], strength: 0.5, [i]).NextRow());
        // The two change places.
        Assert.Empty(executor.Execute(new StepPlan([], []) { BlockCopies = [new(0, 0, 1), new(1, 1, 0)] }).Readouts);
        for (var i = 0; i < 2; i++)
        {
            var row = new TestSequence([.. expected[i].Take(4)], strength: 0.5, [1 - i]).NextRow();
            Assert.Equal(expected[i][4], executor.Run(row with { Tokens = row.Tokens[3..], Position = 3 })[0].Token);
        }
    }
}
