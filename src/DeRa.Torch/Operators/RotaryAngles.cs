using System.Runtime.InteropServices;
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
        long[] shape = [positions.size(0), 1, inverseFrequencies.size(0)];
        var angles = new RotaryAngles(empty(shape, ScalarType.Float32), empty(shape, ScalarType.Float32));
        var at = CpuKernels.Indices(positions);
        var frequencies = MemoryMarshal.Cast<byte, double>(inverseFrequencies.bytes);
        var cosines = CpuKernels.Elements(angles.Cosine);
        var sines = CpuKernels.Elements(angles.Sine);
        for (var (token, place) = (0, 0); token < at.Length; token++)
            foreach (var frequency in frequencies)
            {
                var (sine, cosine) = Math.SinCos(at[token] * frequency);
                (cosines[place], sines[place++]) = ((float)(cosine * factor), (float)(sine * factor));
            }
        return angles;
    }
}
