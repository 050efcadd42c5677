using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Caching;
using DeRa.Torch.Decoding;
using DeRa.Torch.Execution;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Execution;

public sealed class PairExecutorTests : IDisposable
{
    private const int BlockTokens = 16;
    private static readonly int[] Prompt = [1, 88, 84, 288, 184, 263, 281];

    private readonly ModelRunner _reference;
    private readonly ModelRunner _aligned;
    private readonly PairExecutor _executor;

    public PairExecutorTests()
    {
        LibTorch.Load();
        var logits = new LogitStore(slots: 4, GoldenPair.VocabularySize, CPU);
        (_reference, _aligned) = (Runner("pair/sft", logits, member: 0), Runner("pair/aligned", logits, member: 1));
        _executor = new PairExecutor([_reference, _aligned], new ExecutorLimits(GoldenPair.VocabularySize, 256, BlockTokens, 16));
    }

    public void Dispose() => _executor.Dispose();

    [Fact]
    public void Rows_of_strength_0_and_1_run_one_model_only()
    {
        new TestSequence(Prompt, strength: 0, [0]).Run(_executor, 3);
        Assert.True(Holds(_reference, block: 0));
        Assert.False(Holds(_aligned, block: 0));
        new TestSequence(Prompt, strength: 1, [1]).Run(_executor, 3);
        Assert.True(Holds(_aligned, block: 1));
        Assert.False(Holds(_reference, block: 1));
    }

    [Theory]
    [InlineData(0.0), InlineData(1.0)]
    public void Strength_0_and_1_equal_the_model_alone_to_the_last_bit(double strength)
    {
        var name = strength == 0 ? "pair/sft" : "pair/aligned";
        using var alone = GoldenPair.Load(GoldenPair.Options(name, name)).Executor;
        var expected = new TestSequence(Prompt, strength, [0, 1, 2]).Run(alone, 20);
        var actual = new TestSequence(Prompt, strength, [5, 3, 4]).Run(_executor, 20);
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.LogProbs.SelectMany(TestSequence.Distribution), actual.LogProbs.SelectMany(TestSequence.Distribution));
    }

    [Fact]
    public void A_step_may_be_repeated()
    {
        var sequence = new TestSequence(Prompt, strength: 0.3, [0]);
        var row = sequence.NextRow();
        var (first, again) = (_executor.Run(row)[0], _executor.Run(row)[0]);
        Assert.Equal((first.Token, first.LogProbs!.LogProb), (again.Token, again.LogProbs!.LogProb));
    }

    [Fact]
    public void Not_a_number_in_one_sequence_fails_that_row_and_no_other()
    {
        var (healthy, sick) = (new TestSequence(Prompt, strength: 0.5, [0, 1]), new TestSequence([.. Prompt, 5, 6], strength: 0.5, [2, 3]));
        var expected = new TestSequence(Prompt, strength: 0.5, [4, 5]).Run(_executor, 3).Tokens;
        healthy.Run(_executor, 1);
        sick.Run(_executor, 1);
        _aligned.Cache.Layers[1].Keys[2].narrow(2, 0, 4).fill_(float.NaN);
        for (var step = 0; step < 2; step++)
        {
            var rows = new[] { healthy.NextRow(), sick.NextRow() };
            var results = _executor.Run(rows);
            Assert.Contains("not finite", results[1].Error);
            Assert.Null(results[0].Error);
            healthy.Commit(rows[0], results[0]);
        }
        Assert.Equal(expected, healthy.Tokens);
    }

    [Fact]
    public void What_a_freed_block_held_does_not_reach_its_next_owner()
    {
        var expected = new TestSequence(Prompt, strength: 0.5, [0, 1]).Run(_executor, 4).Tokens;
        foreach (var runner in new[] { _reference, _aligned })
            foreach (var layer in runner.Cache.Layers)
            {
                layer.Keys.fill_(float.NaN);
                layer.Values.fill_(float.NaN);
            }
        // Beside a longer row, so that this one is padded.
        var sequence = new TestSequence(Prompt, strength: 0.5, [2, 3]);
        var longer = new TestSequence([.. Prompt, .. Prompt, .. Prompt], strength: 0.5, [4, 5]);
        while (sequence.Output.Count() < 4)
        {
            var rows = new[] { sequence.NextRow(), longer.NextRow() };
            var results = _executor.Run(rows);
            sequence.Commit(rows[0], results[0]);
            longer.Commit(rows[1], results[1]);
        }
        Assert.Equal(expected, sequence.Tokens);
    }

    [Fact]
    public void A_row_may_score_its_tokens_and_sample_after_the_last()
    {
        var row = new TestSequence(Prompt, strength: 0.5, [0]).NextRow(logProbs: 1);
        var both = _executor.Run(row with { ScoredTokens = Prompt.AsMemory(1) })[0];
        var sampledOnly = _executor.Run(row)[0];
        Assert.Equal(sampledOnly.Token, both.Token);
        Assert.Equal(Prompt.Length - 1, both.ScoredLogProbs.Count);

        // Where the sampled token is known before, its place is scored and sampled at once.
        int[] followers = [.. Prompt.Skip(1), both.Token];
        var known = _executor.Run(row with { ScoredTokens = followers })[0];
        Assert.Equal(both.Token, known.Token);
        Assert.Equal(followers, known.ScoredLogProbs.Select(score => score.Token));
        Assert.Equal(known.LogProbs!.LogProb, known.ScoredLogProbs[^1].LogProb);
    }

    [Fact]
    public void Scored_prompts_are_the_same_to_the_last_bit_where_their_logits_come_in_pieces()
    {
        var row = new TestSequence(Prompt, strength: 0.5, [0]).NextRow() with
        {
            ScoredTokens = Prompt.AsMemory(1),
            ScoredAlternatives = GoldenPair.VocabularySize,
        };
        var other = new TestSequence(Prompt, strength: 1, [1]).NextRow();
        var expected = _executor.Run(row, other);
        foreach (var rowsAtOnce in new[] { 1, 2, 3, 7 })
        {
            var actual = _executor.InPieces(rowsAtOnce * GoldenPair.VocabularySize).Run(row, other);
            Assert.Equal(expected.SelectMany(Tops), actual.SelectMany(Tops));
        }

        static IEnumerable<(int, float)> Tops(TestResult result) =>
            result.ScoredLogProbs.Append(result.LogProbs!).SelectMany(item => item.Top);
    }

    [Fact]
    public void A_plan_outside_the_limits_is_refused_before_anything_runs()
    {
        var (inside, outside) = (new TestSequence(Prompt, .5, [0]).NextRow(), new TestSequence(Prompt, .5, [16]).NextRow());
        var exception = Assert.Throws<ArgumentException>(() => _executor.Run(inside, outside));
        Assert.Contains("row 1 of pass 0 of the step: block 16 is outside [0, 16)", exception.Message);
        Assert.False(Holds(_reference, block: 0));
    }

    private static bool Holds(ModelRunner runner, int block)
    {
        using var scope = NewDisposeScope();
        return runner.Cache.Layers[0].Keys[block].abs().sum().item<float>() > 0;
    }

    private static ModelRunner Runner(string golden, LogitStore logits, int member)
    {
        var folder = GoldenData.Committed(golden);
        var config = ModelConfigReader.Load(folder);
        var model = DecoderLoader.Load(folder, config, CPU, new NumberOptions { DType = DTypeOption.Parse("float32") },
            onProgress: null, CancellationToken.None);
        return new ModelRunner(
            model, new KvCache(config, blockCount: 16, BlockTokens, model.Cache), logits, [new RunnerMember(member)]);
    }
}
