using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The rotations of one step's tokens, shared by all layers of a model.</summary>
/// <param name="Cosine">[tokens, 1, headDimension / 2], float32.</param>
/// <param name="Sine">[tokens, 1, headDimension / 2], float32.</param>
internal sealed record RotaryAngles(Tensor Cosine, Tensor Sine)
{
    /// <summary>Computes position · inverse frequency in float64, so that late positions lose nothing.</summary>
    /// <param name="positions">[tokens], int64.</param>
    /// <param name="inverseFrequencies">[headDimension / 2], float64.</param>
    public static RotaryAngles At(Tensor positions, Tensor inverseFrequencies)
    {
        using var scope = NewDisposeScope();
        var angles = positions.to(ScalarType.Float64).view(-1, 1, 1) * inverseFrequencies;
        var (cosine, sine) = (angles.cos().to(ScalarType.Float32), angles.sin().to(ScalarType.Float32));
        return new RotaryAngles(cosine.MoveToOuterDisposeScope(), sine.MoveToOuterDisposeScope());
    }

    /// <summary>The angle by which each pair of a head's dimensions turns from one position to the next, scaling applied.</summary>
    public static double[] InverseFrequencies(ModelConfig config)
    {
        var frequencies = new double[config.HeadDimension / 2];
        for (var i = 0; i < frequencies.Length; i++)
            frequencies[i] = Scale(Math.Pow(config.RotaryBase, -2.0 * i / config.HeadDimension), config.RotaryScaling);
        return frequencies;
    }

    private static double Scale(double frequency, RotaryScaling? scaling) => scaling switch
    {
        null => frequency,
        RotaryScaling.Linear linear => frequency / linear.Factor,
        RotaryScaling.Llama3 llama => ScaleLlama3(frequency, llama),
        _ => throw new ArgumentOutOfRangeException(nameof(scaling)),
    };

    private static double ScaleLlama3(double frequency, RotaryScaling.Llama3 scaling)
    {
        // How often the pair turns round within the context trained on.
        var turns = scaling.OriginalContextTokens * frequency / (2 * Math.PI);
        var kept = (turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        kept = Math.Clamp(kept, 0, 1);
        return kept * frequency + (1 - kept) * frequency / scaling.Factor;
    }
}
