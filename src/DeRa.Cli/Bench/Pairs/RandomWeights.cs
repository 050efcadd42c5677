namespace DeRa.Cli.Bench.Pairs;

/// <summary>
/// Normal weights in bfloat16, and the same with noise. Each number is one of 65,536 that were drawn once, so that billions take seconds.
/// Any thread.
/// </summary>
internal sealed class RandomWeights
{
    /// <summary>Of a model that has not been trained.</summary>
    private const float Deviation = .02f;

    private readonly float[] _weights = Normals(seed: 1, Deviation);
    private readonly float[] _noise;

    /// <param name="noise">The noise's deviation over the weights'.</param>
    public RandomWeights(double noise) => _noise = Normals(seed: 2, Deviation * (float)noise);

    /// <summary>Draws the same part of a tensor in both models.</summary>
    /// <param name="seed">The part.</param>
    /// <param name="reference">Receives the weights.</param>
    /// <param name="aligned">Receives the weights with noise; as long.</param>
    public void Draw(ulong seed, Span<ushort> reference, Span<ushort> aligned)
    {
        for (var i = 0; i < reference.Length; i += 2)
        {
            var bits = SplitMix(ref seed);
            Draw((ushort)bits, (ushort)(bits >> 16), out reference[i], out aligned[i]);
            if (i + 1 < reference.Length) Draw((ushort)(bits >> 32), (ushort)(bits >> 48), out reference[i + 1], out aligned[i + 1]);
        }
    }

    /// <summary>The upper half of a float32, rounded to nearest, ties to even.</summary>
    public static ushort Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private void Draw(ushort weight, ushort noise, out ushort reference, out ushort aligned)
    {
        reference = Rounded(_weights[weight]);
        aligned = Rounded(_weights[weight] + _noise[noise]);
    }

    /// <summary>Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.</summary>
    private static ulong SplitMix(ref ulong state)
    {
        var mixed = state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>As many as 16 bits can choose from (Box and Muller 1958).</summary>
    private static float[] Normals(ulong seed, float deviation)
    {
        var normals = new float[1 << 16];
        foreach (ref var normal in normals.AsSpan())
            normal = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform()));
        return normals;

        double Uniform() => (SplitMix(ref seed) >> 11) * (1.0 / (1UL << 53));
    }
}
