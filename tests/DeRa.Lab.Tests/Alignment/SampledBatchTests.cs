using DeRa.Lab.Alignment;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Alignment;

public sealed class SampledBatchTests
{
    [Fact]
    public void Completions_are_masked_in_and_prompts_and_padding_out()
    {
        using var scope = NewDisposeScope();
        var batch = SampledBatch.Of([new([1, 2, 3], [4, 0], true), new([5], [6, 7, 0], true), new([8, 9], [6], false)], padding: 0, CPU);
        Assert.Equal([3, 5], batch.Tokens.shape);
        Assert.Equal([1, 2, 3, 4, 0, 5, 6, 7, 0, 0, 8, 9, 6, 0, 0], batch.Tokens.data<long>());
        Assert.Equal([3, 4], batch.Mask.shape);
        // Column t speaks of token t + 1; an end token that was drawn counts, padding of the same id does not.
        Assert.Equal([false, false, true, true, true, true, true, false, false, true, false, false], batch.Mask.data<bool>());
    }
}
