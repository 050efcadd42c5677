using DeRa.Lab.Models;
using DeRa.Torch.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeRa.Lab.Training;

/// <summary>Changes a model's weights by their gradients: <see cref="OptimizerMethod"/>. One thread; its creator disposes of it.</summary>
internal sealed class Optimizer : IDisposable
{
    private const double Beta1 = 0.9, Epsilon = 1e-8;
    private readonly TrainingSettings _settings;
    private readonly Weight[] _weights;

    /// <summary>An optimiser that has made no step.</summary>
    public Optimizer(TrainingSettings settings, TrainableDecoder model)
    {
        _settings = settings;
        _weights = [.. model.Weights.Select(weight => Create(weight.Key, weight.Value))];

        Weight Create(string name, Parameter value)
        {
            var isOrthogonalised = settings.Method == OptimizerMethod.Muon && value.dim() == 2 && model.IsInLayer(name);
            var decay = value.dim() > 1 ? settings.WeightDecay : 0;
            return new Weight(name, value, decay, Zeros(value), isOrthogonalised ? null : Zeros(value));
        }
    }

    /// <summary>A weight, its gradients' mean, and the mean of their squares; null where the mean is orthogonalised instead.</summary>
    private sealed record Weight(string Name, Parameter Value, double Decay, Tensor Mean, Tensor? Square);

    /// <summary>What it remembers of earlier steps, float32, by name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        _weights.Select(weight => KeyValuePair.Create(weight.Name + ".mean", weight.Mean))
            .Concat(_weights.Where(weight => weight.Square is not null)
                .Select(weight => KeyValuePair.Create(weight.Name + ".square", weight.Square!)));

    /// <summary>Changes every weight that has a gradient.</summary>
    /// <param name="step">From 0; determines the learning rate and how far the means are from their beginning.</param>
    public void Step(int step)
    {
        using var gradientsOff = no_grad();
        var rate = _settings.LearningRateAt(step);
        foreach (var weight in _weights)
        {
            if (weight.Value.grad is not { } gradient) continue;
            using var scope = NewDisposeScope();
            if (weight.Decay > 0) weight.Value.TimesInPlace(1 - rate * weight.Decay);
            weight.Value.PlusInPlace(weight.Square is { } square
                ? AdamW(gradient, weight.Mean, square, step).Times(-rate)
                : Muon.Direction(gradient, weight.Mean).Times(-rate));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, tensor) in State) tensor.Dispose();
    }

    /// <summary>The means' ratio, each corrected for its beginning at 0 (arXiv 1412.6980, algorithm 1).</summary>
    private Tensor AdamW(Tensor gradient, Tensor mean, Tensor square, int step)
    {
        mean.TimesInPlace(Beta1).PlusInPlace(gradient.Times(1 - Beta1));
        square.TimesInPlace(_settings.Beta2).PlusInPlace((gradient * gradient).Times(1 - _settings.Beta2));
        var (ofMean, ofSquare) = (1 - Math.Pow(Beta1, step + 1), 1 - Math.Pow(_settings.Beta2, step + 1));
        return mean.Times(1 / ofMean) / square.Times(1 / ofSquare).sqrt().PlusInPlace(Epsilon);
    }

    private static Tensor Zeros(Tensor like) => zeros(like.shape, like.dtype, like.device).DetachFromDisposeScope();
}
