using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Logits that are kept between steps give, to the last bit, what reading them at once gives.</summary>
public sealed class KeptLogitsTests
{
    private static readonly int[] Prompt = [1, 88, 84, 63, 84, 26, 28, 81, 7, 90];

    [Theory]
    [InlineData("pair/sft", "pair/aligned", "float32", 300)]
    [InlineData("pair/sft", "pair/sft", "float32", 300)] // one runner
    [InlineData("qwen2", "qwen2", "bfloat16", 139)] // a padded output layer
    [InlineData("gemma2", "pair/sft", "bfloat16", 124)] // capped logits, which are float32, and others; different widths
    public void A_kept_row_that_is_read_in_a_later_step_gives_what_reading_it_at_once_gives(
        string reference, string aligned, string type, int vocabularySize)
    {
        var options = GoldenPair.Options(reference, aligned) with { DType = DTypeOption.Parse(type) };
        using var executor = GoldenPair.Load(options, vocabularySize).Executor;
        foreach (var strength in new[] { 0, 0.3, 1, 2.5 })
        {
            var plan = PlainPlan.Of(executor.Limits, new TestSequence(Prompt, strength, [1]).NextRow(logProbs: vocabularySize));
            var expected = executor.Execute(plan).Readouts[0];
            var kept = plan with
            {
                Passes = [.. plan.Passes.Select(pass => pass with
                {
                    Rows = [.. pass.Rows.Select(row => row with { KeptSlots = [3 + row.Model] })],
                })],
            };
            var later = new StepPlan([], [WithSources(plan.Readouts[0], model => LogitSource.Kept(3 + model))]);
            // Kept beside being read, and kept only.
            AssertSame(expected, executor.Execute(kept).Readouts[0]);
            AssertSame(expected, executor.Execute(later).Readouts[0]);
            Assert.Empty(executor.Execute(kept with { Readouts = [] }).Readouts);
            AssertSame(expected, executor.Execute(later).Readouts[0]);
        }
    }

    [Fact]
    public void Logits_of_this_step_and_kept_ones_of_the_same_model_are_read_together_and_an_output_more_than_once()
    {
        using var executor = GoldenPair.Load().Executor;
        var first = new TestSequence(Prompt, strength: 0.5, [0]).NextRow();
        var second = new TestSequence([5, 6, 7], strength: 2, [1]).NextRow();
        var expected = executor.Run(first, second, first with { Strengths = 1, BlockTable = [2] });
        executor.Execute(Pass(0, first.ToPassRow(0, model: 0) with { KeptSlots = [6] }));
        var own = LogitSource.Of(1, 0);
        var step = new StepPlan(
            [new(1, [second.ToPassRow(1, 1), first.ToPassRow(0, 1) with { KeptSlots = [5] }]), new(0, [second.ToPassRow(1, 0)])],
            [Read(first, LogitSource.Kept(6), own), Read(first with { Strengths = 1 }, own), Read(first, LogitSource.Kept(6), own),
                Read(second, LogitSource.Of(0, 0), LogitSource.Of(0, 0))]);
        int[] places = [0, 2, 0, 1];
        foreach (var (result, place) in executor.Execute(step).Readouts.Zip(places)) AssertSame(expected[place].Readouts[0], result);
        AssertSame(expected[0].Readouts[0],
            executor.Execute(new StepPlan([], [Read(first, LogitSource.Kept(6), LogitSource.Kept(5))])).Readouts[0]);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(100)]
    public void The_last_of_a_rows_outputs_are_kept_whatever_is_projected_at_once(int rowsAtOnce)
    {
        using var loaded = GoldenPair.Load().Executor;
        var row = new TestSequence(Prompt, strength: 0, [0]).NextRow() with { ScoredTokens = Prompt.AsMemory(1) };
        var plan = PlainPlan.Of(loaded.Limits, row with { ScoredAlternatives = GoldenPair.VocabularySize });
        var expected = loaded.Execute(plan).Readouts;
        var executor = loaded.InPieces(rowsAtOnce * GoldenPair.VocabularySize);
        var pass = row.ToPassRow(0, 0) with { KeptSlots = [8, 2, 4] };
        // Of the kept ones, the last is read too, and two are not.
        var last = executor.Execute(new StepPlan([new(0, [pass])], [plan.Readouts[^1]])).Readouts[0];
        AssertSame(expected[^1], last);
        var later = executor.Execute(new StepPlan([], [.. plan.Readouts.Skip(expected.Count - 3).Zip(pass.KeptSlots,
            (readout, slot) => readout with { Sources = [LogitSource.Kept(slot)] })])).Readouts;
        Assert.All(later.Zip(expected.Skip(expected.Count - 3)), pair => AssertSame(pair.Second, pair.First));
    }

    [Fact]
    public void A_kept_row_that_is_not_finite_fails_its_readout_alone()
    {
        using var executor = GoldenPair.Load().Executor;
        var sick = new TestSequence(Prompt, strength: 0, [0]).NextRow();
        executor.Execute(Pass(0, sick.ToPassRow(0, 0) with { KeptSlots = [0] }));
        var plan = new StepPlan([], [Read(sick with { Strengths = 1e38 }, LogitSource.Kept(0), LogitSource.Kept(0)),
            Read(sick, LogitSource.Kept(0))]);
        var results = executor.Execute(plan).Readouts;
        Assert.Contains("not finite", results[0].Error);
        Assert.Null(results[1].Error);
    }

    private static StepPlan Pass(int runner, PassRow row) => new([new ModelPass(runner, [row])], []);

    private static Readout Read(TestRow row, params LogitSource[] sources) =>
        new() { Branch = 0, Strengths = row.Strengths, Sources = sources, Sampling = row.Sampling };

    private static Readout WithSources(Readout readout, Func<int, LogitSource> source) =>
        readout with { Sources = [.. readout.Strengths.ActiveModels.Select(source)] };

    private static void AssertSame(ReadoutResult expected, ReadoutResult actual)
    {
        Assert.Equal((expected.Token, expected.Error), (actual.Token, actual.Error));
        Assert.Equal(expected.LogProbs?.Top, actual.LogProbs?.Top);
        Assert.Equal(expected.Score?.Top, actual.Score?.Top);
    }
}
