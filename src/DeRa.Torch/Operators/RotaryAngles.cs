using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The rotations of one step's tokens, shared by all layers of a model.</summary>
/// <param name="Cosine">[tokens, 1, rotaryDimension / 2], float32.</param>
/// <param name="Sine">[tokens, 1, rotaryDimension / 2], float32.</param>
internal sealed record RotaryAngles(Tensor Cosine, Tensor Sine)
{
    /// <summary>Computes position · inverse frequency in float64, so that late positions keep their precision.</summary>
    /// <param name="positions">[tokens], int64.</param>
    /// <param name="inverseFrequencies">[rotaryDimension / 2], float64.</param>
    /// <param name="factor">What cosines and sines are multiplied by.</param>
    public static RotaryAngles At(Tensor positions, Tensor inverseFrequencies, double factor)
    {
        if (positions.device.type == TorchSharp.DeviceType.CPU) return OnCpu(positions, inverseFrequencies, factor);
        using var scope = NewDisposeScope();
        var angles = positions.to(ScalarType.Float64).view(-1, 1, 1) * inverseFrequencies;
        var (cosine, sine) = (angles.cos(), angles.sin());
        if (factor != 1) (cosine, sine) = (cosine.TimesInPlace(factor), sine.TimesInPlace(factor));
        return new RotaryAngles(
            cosine.to(ScalarType.Float32).MoveToOuterDisposeScope(), sine.to(ScalarType.Float32).MoveToOuterDisposeScope());
    }

    /// <summary>One by one: how libtorch rounds a cosine depends on its place in the tensor (<see cref="CpuKernels"/>).</summary>
    private static RotaryAngles OnCpu(Tensor positions, Tensor inverseFrequencies, double factor)
    {
        var (at, frequencies) = (positions.data<long>().ToArray(), inverseFrequencies.data<double>().ToArray());
        var (cosines, sines) = (new float[at.Length * frequencies.Length], new float[at.Length * frequencies.Length]);
        for (var token = 0; token < at.Length; token++)
            for (var pair = 0; pair < frequencies.Length; pair++)
            {
                var (sine, cosine) = Math.SinCos(at[token] * frequencies[pair]);
                var place = token * frequencies.Length + pair;
                (cosines[place], sines[place]) = ((float)(cosine * factor), (float)(sine * factor));
            }
        return new RotaryAngles(tensor(cosines, [at.Length, 1, frequencies.Length]), tensor(sines, [at.Length, 1, frequencies.Length]));
    }
}
