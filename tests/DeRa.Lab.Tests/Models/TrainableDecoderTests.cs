using DeRa.Lab.Models;
using DeRa.Lab.Tests.Training;
using DeRa.Testing;
using DeRa.Torch.Families;
using DeRa.Torch.Verification;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Models;

public sealed class TrainableDecoderTests
{
    /// <summary>The same float64 references that the engine's decoder is held to.</summary>
    private const double Float32 = 1e-4;

    [Theory]
    [InlineData("llama-llama3")]
    [InlineData("pair/sft")]
    public void Logits_equal_the_golden_ones_that_the_engine_is_held_to(string folder) => CheckGolden(GoldenData.Committed(folder));

    [Theory]
    [InlineData("golden/llama-gqa")]
    [InlineData("golden/pair/aligned")]
    [InlineData("models/stories260k")]
    public void Logits_of_other_models_equal_the_golden_ones(string model)
    {
        var folder = SharedData.Find(model);
        if (folder is null) Assert.Skip(SharedData.Missing);
        CheckGolden(folder);
    }

    [Theory]
    [InlineData("qwen2"), InlineData("qwen3"), InlineData("gemma2"), InlineData("gpt2"), InlineData("gpt_neox-sequential")]
    public void Other_layouts_are_refused_by_family(string folder)
    {
        var config = ModelConfigReader.Load(GoldenData.Committed(folder));
        var refusal = Assert.Throws<ArgumentException>(() => TrainableDecoder.Load(GoldenData.Committed(folder), CPU));
        Assert.Contains($"A {config.Family} checkpoint cannot be trained here", refusal.Message);
    }

    [Fact]
    public void In_mixed_precision_losses_and_gradients_are_those_of_float32_to_bfloat16s_digits()
    {
        using var model = RepeatedTokens.Model();
        using var scope = NewDisposeScope();
        var (exact, exactGradients) = Gradients(ScalarType.Float32);
        var (mixed, mixedGradients) = Gradients(ScalarType.BFloat16);
        Assert.NotEqual(exact, mixed);
        Assert.InRange(mixed / exact, 0.99, 1.01);
        foreach (var (one, other) in exactGradients.Zip(mixedGradients))
        {
            Assert.Equal(ScalarType.Float32, other.dtype);
            Assert.InRange((one - other).norm().item<float>() / one.norm().item<float>(), 0, 0.03);
        }

        (double Loss, Tensor[] Gradients) Gradients(ScalarType type)
        {
            model.ComputeType = type;
            model.ForgetGradients();
            var loss = RepeatedTokens.Task().Step(model, step: 0).Loss;
            loss.backward();
            return (loss.item<float>(), [.. model.Weights.Select(weight => weight.Value.grad!.clone())]);
        }
    }

    private static void CheckGolden(string folder)
    {
        using var model = TrainableDecoder.Load(folder, CPU);
        foreach (var golden in GoldenCase.Load(folder))
        {
            using var scope = NewDisposeScope();
            using var gradientsOff = no_grad();
            var tokens = tensor(golden.Tokens.Select(token => (long)token).ToArray()).unsqueeze(0);
            var expected = tensor(golden.Logits).view(golden.File.Shape);
            Assert.InRange((model.Logits(tokens).squeeze(0) - expected).abs().max().item<double>(), 0, Float32);
            CheckSteps(model, tokens, expected, golden.InputIds.Length);
        }
    }

    private static void CheckSteps(TrainableDecoder model, Tensor tokens, Tensor expected, int promptTokens)
    {
        using var cache = model.CreateCache(1, (int)tokens.size(1));
        for (var (position, count) = (0, promptTokens); position < tokens.size(1); position += count, count = 1)
        {
            var logits = model.Step(tokens.narrow(1, position, count), cache).squeeze(0);
            Assert.InRange((logits - expected[position + count - 1]).abs().max().item<double>(), 0, Float32);
        }
    }
}
