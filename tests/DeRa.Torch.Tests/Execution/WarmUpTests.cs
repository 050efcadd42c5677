using DeRa.Testing;
using DeRa.Torch.Execution;
using DeRa.Torch.Tests.Weights;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

public class WarmUpTests
{
    [Theory]
    [InlineData(256, 2)]
    [InlineData(2, 1)]
    [InlineData(1, 1)]
    public void Every_model_reads_a_prompt_and_then_a_token_where_the_context_has_room(int contextTokens, int steps)
    {
        using var executor = new ScriptedExecutor(contextTokens: contextTokens);
        WarmUp.Run(executor, ["reference", "aligned"]);
        Assert.Equal([steps, steps], executor.RowsRun);
    }

    [Fact]
    public void Models_that_do_not_run_are_freed_and_end_the_load()
    {
        var executor = new ScriptedExecutor { BeforeStep = _ => throw new InvalidOperationException("no kernel image is available") };
        Assert.Contains("no kernel image", Assert.Throws<PairLoadException>(() => WarmUp.Run(executor, ["reference", "aligned"])).Message,
            StringComparison.Ordinal);
        Assert.True(executor.IsDisposed);
    }

    [Theory]
    [InlineData(0, "model 'reference'"), InlineData(1, "model 'aligned'")]
    public void A_model_whose_first_logits_are_no_numbers_is_named(int broken, string expected)
    {
        var executor = new ScriptedExecutor
        {
            ReadoutError = readout => readout.Strengths.IsActive(broken) ? "logits are not finite: NaN" : null,
        };
        var message = Assert.Throws<PairLoadException>(() => WarmUp.Run(executor, ["reference", "aligned"])).Message;
        Assert.StartsWith($"the first step of {expected} fails: logits are not finite: NaN. ", message, StringComparison.Ordinal);
        Assert.True(executor.IsDisposed);
    }

    [Theory]
    [InlineData("model.norm.weight", float.NaN), InlineData("model.layers.1.mlp.down_proj.weight", float.PositiveInfinity)]
    [InlineData("lm_head.weight", float.NaN), InlineData("model.embed_tokens.weight", float.NegativeInfinity)]
    public void Models_with_a_weight_that_is_no_number_do_not_start(string tensor, float value)
    {
        using var edited = new EditedCheckpoint(GoldenData.Committed("pair/sft"));
        var data = edited.Tensors[tensor].Data;
        for (var i = 0; i < 48; i++) BitConverter.TryWriteBytes(data.AsSpan(4 * i), value);
        edited.Write();
        var aligned = GoldenData.Committed("pair/aligned");
        var options =
            GoldenPair.Options() with { ReferencePath = edited.Path, Aligned = [new("first", aligned), new("second", edited.Path)] };
        var pair = GoldenPair.Load(options);
        var message =
            Assert.Throws<PairLoadException>(() => WarmUp.Run(pair.Executor, [.. pair.Members.Select(member => member.Name)])).Message;
        Assert.StartsWith("the first step of model 'reference' and 'second' fails: logits are not finite", message,
            StringComparison.Ordinal);
    }
}
