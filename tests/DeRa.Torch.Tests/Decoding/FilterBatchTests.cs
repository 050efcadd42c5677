using DeRa.Engine.Requests;
using DeRa.Torch.Decoding;
using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>What filters leave of a row is the same to the last bit beside other rows, over a vocabulary that threads divide.</summary>
public sealed class FilterBatchTests
{
    private const int VocabularySize = 50_021;

    public FilterBatchTests() => LibTorch.Load();

    [Fact]
    public void Probabilities_of_a_row_do_not_depend_on_the_rows_beside_it()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        SamplingParameters[] parameters =
            [new(), new() { TopP = .9f }, new() { MinP = .01f }, new() { TopK = 40, TopP = .5f }, new() { TypicalP = .8f }];
        var logits = randn([parameters.Length, VocabularySize], generator: random) * 6;
        var scaled = logits.sub(logits.amax([1], keepdim: true));
        var together = TokenFilter.Probabilities(scaled, parameters);
        for (var row = 0; row < parameters.Length; row++)
            Assert.Equal(
                TokenFilter.Probabilities(scaled.narrow(0, row, 1).clone(), [parameters[row]]).data<float>().ToArray(),
                together[row].data<float>().ToArray());
    }
}
