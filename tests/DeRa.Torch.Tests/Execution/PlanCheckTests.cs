using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Everything of a plan that becomes an address is refused where it is out of range; no model is needed to see it.</summary>
public sealed class PlanCheckTests
{
    /// <summary>Runner 0 computes models 0 and 2, runner 1 model 1.</summary>
    private static readonly ExecutorLimits Limits = new(VocabularySize: 300, ContextTokens: 256, BlockTokens: 16, BlockCount: 16)
    {
        Runners = [new([0, 2], "cpu"), new([1], "cpu")],
        LogitSlots = 8,
    };

    public static TheoryData<string, PassRow> Rows { get; } = new()
    {
        { "model 1 is not one of runner 0", Row() with { Model = 1 } },
        { "model -1 is not one of runner 0", Row() with { Model = -1 } },
        { "no tokens", Row() with { Tokens = Array.Empty<int>() } },
        { "token 300 is outside [0, 300)", Row() with { Tokens = new[] { 1, 300 } } },
        { "token -1 is outside [0, 300)", Row() with { Tokens = new[] { 1, -1 } } },
        { "positions [255, 257) are outside the context of 256 tokens",
            Row() with { Position = 255, BlockTable = [.. Enumerable.Range(0, 16), 0] } },
        { "positions [-1, 1) are outside the context of 256 tokens", Row() with { Position = -1 } },
        { "positions [2147483647, 2147483649) are outside", Row() with { Position = int.MaxValue } },
        { "1 blocks where 2 are needed", Row() with { Position = 15 } },
        { "block 16 is outside [0, 16)", Row() with { BlockTable = [16] } },
        { "block -1 is outside [0, 16)", Row() with { BlockTable = [-1] } },
        { "3 outputs of 2 tokens", Row() with { OutputCount = 3 } },
        { "-1 outputs of 2 tokens", Row() with { OutputCount = -1 } },
        { "3 slots for 2 outputs", Row() with { KeptSlots = [0, 1, 2] } },
        { "slot 8 is outside [0, 8)", Row() with { KeptSlots = [7, 8] } },
        { "slot -1 is outside [0, 8)", Row() with { KeptSlots = [-1] } },
    };

    [Theory, MemberData(nameof(Rows))]
    public void A_row_outside_the_limits_is_refused_with_its_place(string reason, PassRow row) => AssertRefused(
        "row 1 of pass 0 of the step: " + reason, new StepPlan([new ModelPass(0, [Row(), row])], []));

    public static TheoryData<string, Readout> Readouts { get; } = new()
    {
        { "a strength is not finite", Readout(double.NaN, LogitSource.Of(0, 0), LogitSource.Of(0, 0)) },
        { "model 3 is outside [0, 3)", Readout(new(0, 0, 1), LogitSource.Kept(0)) },
        { "1 sources for 2 active models", Readout(0.5, LogitSource.Of(0, 0)) },
        { "2 sources for 1 active models", Readout(0, LogitSource.Of(0, 0), LogitSource.Kept(0)) },
        { "source 1: model 1 has no pass", Readout(0.5, LogitSource.Of(0, 0), LogitSource.Of(0, 0)) },
        { "source 0: row 2 is outside [0, 2)", Readout(0, LogitSource.Of(2, 0)) },
        { "no source is known", Readout(0, LogitSource.Of(-1, 0)) },
        { "no source is known", Readout(0.5, LogitSource.Unknown, LogitSource.Unknown) },
        { "log-probabilities are wanted, and not all sources are known",
            Readout(0.5, LogitSource.Of(0, 0), LogitSource.Unknown) with { Score = new(1, 0) } },
        { "log-probabilities are wanted, and not all sources are known",
            Readout(0.5, LogitSource.Of(0, 0), LogitSource.Unknown) with { Sampling = TestSequence.Greedy(logProbs: 0) } },
        { "source 1: slot 8 is outside [0, 8)", Readout(0.5, LogitSource.Unknown, LogitSource.Kept(8)) },
        { "source 0: row 1 is model 2's, not model 0's", Readout(0, LogitSource.Of(1, 0)) },
        { "source 0: output 2 is outside [0, 2)", Readout(0, LogitSource.Of(0, 2)) },
        { "source 0: output -1 is outside [0, 2)", Readout(0, LogitSource.Of(0, -1)) },
        { "source 0: slot 8 is outside [0, 8)", Readout(0, LogitSource.Kept(8)) },
    };

    [Theory, MemberData(nameof(Readouts))]
    public void A_readout_of_logits_that_are_not_there_is_refused_with_its_place(string reason, Readout readout) => AssertRefused(
        "readout 1 of the step: " + reason,
        new StepPlan([new ModelPass(0, [Row(), Row() with { Model = 2 }])], [Readout(0, LogitSource.Of(0, 1)), readout]));

    [Fact]
    public void A_pass_of_no_runner_or_of_one_that_has_a_pass_or_without_rows_is_refused()
    {
        AssertRefused("pass 1 of the step: runner 2 is outside [0, 2)", Passes(new(0, [Row()]), new(2, [Row()])));
        AssertRefused("pass 0 of the step: runner -1 is outside [0, 2)", Passes(new ModelPass(-1, [Row()])));
        AssertRefused("pass 1 of the step: runner 0 has pass 0 already", Passes(new(0, [Row()]), new(0, [Row()])));
        AssertRefused("pass 0 of the step: no rows", Passes(new ModelPass(0, [])));

        static StepPlan Passes(params ModelPass[] passes) => new(passes, []);
    }

    [Theory]
    [InlineData(16, 0, "block 16"), InlineData(0, 16, "block 16"), InlineData(-1, 0, "block -1"), InlineData(0, -1, "block -1")]
    public void A_copy_of_a_block_outside_the_pool_is_refused(int from, int to, string reason) => AssertRefused(
        $"block copy 1 of the step: {reason} is outside [0, 16)",
        new StepPlan([], []) { BlockCopies = [new(0, 0, 1), new(0, from, to)] });

    [Fact]
    public void An_empty_step_is_refused() => AssertRefused("a step needs a pass, a readout or a block copy", new StepPlan([], []));

    [Fact]
    public void A_plan_at_the_limits_passes()
    {
        var row = Row() with { Position = 254, BlockTable = [.. Enumerable.Range(0, 16)], KeptSlots = [6, 7] };
        Readout[] readouts =
        [
            Readout(0, LogitSource.Of(0, 1)), Readout(1, LogitSource.Kept(7)),
            Readout(0.5, LogitSource.Unknown, LogitSource.Kept(7)) with { Sampling = TestSequence.Greedy(logProbs: null) },
        ];
        new PlanCheck(new StepPlan([new ModelPass(0, [row])], readouts) { BlockCopies = [new(0, 15, 14)] }, Limits).Verify();
    }

    private static void AssertRefused(string reason, StepPlan plan) => Assert.StartsWith(
        reason, Assert.Throws<ArgumentException>(() => new PlanCheck(plan, Limits).Verify()).Message, StringComparison.Ordinal);

    private static PassRow Row() =>
        new() { Branch = 0, Model = 0, Tokens = new[] { 1, 299 }, Position = 0, BlockTable = [0], OutputCount = 2 };

    private static Readout Readout(AlignmentStrengths strengths, params LogitSource[] sources) =>
        new() { Branch = 0, Strengths = strengths, Sources = sources };
}
