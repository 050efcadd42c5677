using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The rotations of one step's tokens, shared by all layers of a model.</summary>
/// <param name="Cosine">[tokens, 1, rotaryDimension / 2], float32.</param>
/// <param name="Sine">[tokens, 1, rotaryDimension / 2], float32.</param>
internal sealed record RotaryAngles(Tensor Cosine, Tensor Sine)
{
    /// <summary>Computes position · inverse frequency in float64, so that late positions lose nothing.</summary>
    /// <param name="positions">[tokens], int64.</param>
    /// <param name="inverseFrequencies">[rotaryDimension / 2], float64.</param>
    /// <param name="factor">What cosines and sines are multiplied by.</param>
    public static RotaryAngles At(Tensor positions, Tensor inverseFrequencies, double factor)
    {
        using var scope = NewDisposeScope();
        var angles = positions.to(ScalarType.Float64).view(-1, 1, 1) * inverseFrequencies;
        var (cosine, sine) = (angles.cos(), angles.sin());
        if (factor != 1) (cosine, sine) = (cosine.TimesInPlace(factor), sine.TimesInPlace(factor));
        return new RotaryAngles(
            cosine.to(ScalarType.Float32).MoveToOuterDisposeScope(), sine.to(ScalarType.Float32).MoveToOuterDisposeScope());
    }
}
