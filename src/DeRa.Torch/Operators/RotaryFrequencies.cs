using DeRa.Torch.Configuration;

namespace DeRa.Torch.Operators;

/// <summary>The angle by which each pair of a head's dimensions rotates from one position to the next, scaling applied.</summary>
internal static class RotaryFrequencies
{
    /// <summary>[rotaryDimension / 2].</summary>
    public static double[] Of(ModelConfig config)
    {
        var frequencies = new double[config.RotaryDimension / 2];
        for (var pair = 0; pair < frequencies.Length; pair++)
            frequencies[pair] = Scale(Math.Pow(config.RotaryBase, -2.0 * pair / config.RotaryDimension), pair, config);
        return frequencies;
    }

    /// <summary>What cosines and sines are multiplied by, so that queries and keys are.</summary>
    public static double AttentionFactor(ModelConfig config) => config.RotaryScaling is RotaryScaling.Yarn yarn ? yarn.AttentionFactor : 1;

    private static double Scale(double frequency, int pair, ModelConfig config) => config.RotaryScaling switch
    {
        null => frequency,
        RotaryScaling.Linear linear => frequency / linear.Factor,
        RotaryScaling.Llama3 llama => Stretch(frequency, llama.Factor, KeptByLlama3(frequency, llama)),
        RotaryScaling.Yarn yarn => Stretch(frequency, yarn.Factor, KeptByYarn(pair, yarn, config)),
        var other => throw new ArgumentOutOfRangeException(nameof(config), other, message: null),
    };

    private static double Stretch(double frequency, double factor, double kept) => kept * frequency + (1 - kept) * frequency / factor;

    private static double KeptByLlama3(double frequency, RotaryScaling.Llama3 scaling)
    {
        // How often the pair rotates within the original context.
        var rotations = scaling.OriginalContextTokens * frequency / (2 * Math.PI);
        var kept = (rotations - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return Math.Clamp(kept, 0, 1);
    }

    private static double KeptByYarn(int pair, RotaryScaling.Yarn scaling, ModelConfig config)
    {
        var (first, last) = (PairThatRotates(scaling.FastRotations), PairThatRotates(scaling.SlowRotations));
        if (scaling.Truncates) (first, last) = (Math.Floor(first), Math.Ceiling(last));
        // Hugging Face's limit counts dimensions although the ramp counts pairs.
        (first, last) = (Math.Max(first, 0), Math.Min(last, config.RotaryDimension - 1));
        if (first == last) last += 0.001;
        return 1 - Math.Clamp((pair - first) / (last - first), 0, 1);

        double PairThatRotates(double rotations) =>
            config.RotaryDimension
                * Math.Log(scaling.OriginalContextTokens / (rotations * 2 * Math.PI)) / (2 * Math.Log(config.RotaryBase));
    }
}
