using DeRa.Lab.Models;
using DeRa.Lab.Sampling;
using Xunit;

namespace DeRa.Lab.Tests.Sampling;

[Collection(nameof(TensorCount))]
public sealed class SamplerMemoryTests
{
    [Fact]
    public void Sampling_leaves_no_tensor_behind()
    {
        using var reference = TinyDecoder.Create(1);
        using var aligned = TinyDecoder.Create(2);
        Draw(reference, aligned);
        Assert.Equal(0, TensorCount.Left(() => Draw(reference, aligned)));
    }

    [Fact]
    public void A_decoder_takes_its_tensors_with_it()
    {
        var weights = 0;
        var left = TensorCount.Left(() =>
        {
            using var model = TinyDecoder.Create(1);
            using var copy = model.Clone();
            using var between = TrainableDecoder.Interpolate(model, copy, 0.5);
            weights = 3 * model.Weights.Count();
        });
        Assert.Equal(TensorCount.LeftOfParameters(weights), left);
    }

    private static void Draw(TrainableDecoder reference, TrainableDecoder aligned) =>
        Sampler.Sample(new Mixture(reference, aligned, 0.5), [.. Enumerable.Range(1, 30).Select(i => new int[1 + i % 5])], endToken: 3,
            maxTokens: 10, seed: 1);
}
