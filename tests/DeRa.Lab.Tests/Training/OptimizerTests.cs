using DeRa.Lab.Models;
using DeRa.Lab.Training;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Training;

public sealed class OptimizerTests
{
    [Fact]
    public void AdamW_makes_the_steps_that_TorchSharp_makes()
    {
        var settings = RepeatedTokens.Settings(steps: 20) with { WeightDecay = 0.1, LearningRate = 3e-2 };
        using var model = RepeatedTokens.Model();
        using var same = model.Clone();
        using var optimizer = new Optimizer(settings, model);
        using var peer = optim.AdamW(same.Weights.GroupBy(weight => weight.Value.dim() > 1, weight => weight.Value).Select(group =>
            new TorchSharp.Modules.AdamW.ParamGroup(group,
                new TorchSharp.Modules.AdamW.Options { weight_decay = group.Key ? settings.WeightDecay : 0 })),
            settings.LearningRate, beta1: 0.9, beta2: settings.Beta2);
        for (var step = 0; step < 20; step++)
        {
            Differentiate(model, step);
            optimizer.Step(step);
            Differentiate(same, step);
            foreach (var group in peer.ParamGroups) group.LearningRate = settings.LearningRateAt(step);
            peer.step();
        }
        foreach (var ((name, weight), (_, expected)) in model.Weights.Zip(same.Weights))
        {
            using var scope = NewDisposeScope();
            Assert.True((weight - expected).abs().max().item<float>() < 2e-4, name);
        }
    }

    [Fact]
    public void Muon_turns_the_matrices_of_layers_only_and_learns_what_is_repeated()
    {
        var settings = RepeatedTokens.Settings(steps: 200) with { Method = OptimizerMethod.Muon };
        using var model = RepeatedTokens.Model();
        using var adamW = RepeatedTokens.Model();
        using var muon = new Optimizer(settings, model);
        using var peer = new Optimizer(settings with { Method = OptimizerMethod.AdamW }, adamW);
        Differentiate(model, step: 0);
        muon.Step(0);
        Differentiate(adamW, step: 0);
        peer.Step(0);
        foreach (var ((name, weight), (_, other)) in model.Weights.Zip(adamW.Weights))
        {
            using var scope = NewDisposeScope();
            Assert.Equal(weight.dim() == 2 && name.Contains(".layers."), (weight - other).abs().max().item<float>() > 1e-6);
        }
        for (var step = 1; step < 200; step++)
        {
            Differentiate(model, step);
            muon.Step(step);
        }
        Assert.InRange(Differentiate(model, step: 200), 0, 0.3); // ln 12 = 2.48 at the beginning
    }

    [Theory]
    [InlineData(24, 24)]
    [InlineData(40, 16)]
    [InlineData(16, 40)]
    public void A_direction_of_Muon_has_the_singular_vectors_of_the_matrix_and_values_near_one(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var (u, _, vh) = linalg.svd(randn([rows, columns], generator: generator), fullMatrices: false);
        // Smaller singular values than a fiftieth of the largest are not yet near 1 after five iterations.
        var matrix = u.matmul(diag(linspace(1, 0.05, Math.Min(rows, columns)))).matmul(vh);
        var values = u.t().matmul(Muon.Orthogonal(matrix)).matmul(vh.t());
        var off = values - diag(values.diagonal());
        Assert.InRange(off.abs().max().item<float>(), 0, 1e-3);
        Assert.InRange(values.diagonal().min().item<float>(), 0.5, 1);
        Assert.InRange(values.diagonal().max().item<float>(), 1, 1.3);
    }

    [Fact]
    public void A_step_of_Muon_is_as_long_as_one_of_AdamW()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var gradient = randn([48, 32], generator: generator);
        var direction = Muon.Direction(gradient, zeros(48, 32));
        // A root mean square of 0.2 over the longer side's √: 48 · 32 elements from 32 singular values of about 1.
        Assert.InRange(direction.square().mean().sqrt().item<float>(), 0.15, 0.25);
    }

    private static double Differentiate(TrainableDecoder model, int step)
    {
        using var scope = NewDisposeScope();
        var loss = RepeatedTokens.Task().Step(model, step).Loss;
        model.ForgetGradients();
        loss.backward();
        return loss.item<float>();
    }
}
