using DeRa.Testing;
using DeRa.Torch.Execution;
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
        WarmUp.Run(executor);
        Assert.Equal((steps, steps), (executor.ReferenceRows, executor.AlignedRows));
    }

    [Fact]
    public void Models_that_do_not_run_are_freed_and_end_the_load()
    {
        var executor = new ScriptedExecutor { BeforeStep = _ => throw new InvalidOperationException("no kernel image is available") };
        Assert.Contains("no kernel image", Assert.Throws<PairLoadException>(() => WarmUp.Run(executor)).Message, StringComparison.Ordinal);
        Assert.True(executor.IsDisposed);
    }
}
