using DeRa.Engine.Requests;
using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary><see cref="GumbelNoise"/> by libtorch's operators, on any device.</summary>
internal static class DeviceNoise
{
    /// <summary>The largest float32 number below 1.</summary>
    private const double MostUniform = 1 - 1.0 / (1 << 24);

    /// <summary>
    /// −log(−log(1 − u)) of each token, u = (bits + ½) · 2⁻³² at most 1 − 2⁻²⁴: float32 [keys, vocabulary] of its full relative precision
    /// where u is small, which is where noise decides.
    /// </summary>
    /// <param name="keys">One a row.</param>
    /// <param name="vocabularySize">Size of the vocabulary.</param>
    /// <param name="device">Where to compute.</param>
    public static Tensor Of(ulong[] keys, long vocabularySize, Device device)
    {
        using var most = MostUniform.ToScalar();
        var uniform = Bits(keys, vocabularySize, device).to(ScalarType.Float32)
            .PlusInPlace(0.5).TimesInPlace(1.0 / (1L << 32)).clamp_max_(most);
        return uniform.neg_().log1p_().neg_().log_().neg_();
    }

    /// <summary><see cref="GumbelNoise.Bits"/>: int64 [keys, vocabulary], each in [0, 2³²).</summary>
    internal static Tensor Bits(ulong[] keys, long vocabularySize, Device device)
    {
        var states = TensorRows.Column(Array.ConvertAll(keys, key => unchecked((long)key)), device)
            .Plus(Times(Arithmetic.Range(1, vocabularySize + 1, ScalarType.Int64, device), GumbelNoise.Increment));
        Times(FoldInPlace(states, 30), GumbelNoise.FirstFactor);
        Times(FoldInPlace(states, 27), GumbelNoise.SecondFactor);
        return Shifted(FoldInPlace(states, 31), 32);
    }

    /// <summary>state ^ (state &gt;&gt;&gt; count).</summary>
    private static Tensor FoldInPlace(Tensor states, int count) => states.bitwise_xor_(Shifted(states, count));

    /// <summary>A logical shift to the right: libtorch's copies the sign.</summary>
    private static Tensor Shifted(Tensor states, int count)
    {
        using var bits = tensor((long)count);
        using var mask = tensor((1L << (64 - count)) - 1);
        return states.bitwise_right_shift(bits).bitwise_and_(mask);
    }

    /// <summary>In place, modulo 2⁶⁴.</summary>
    private static Tensor Times(Tensor states, ulong factor)
    {
        using var number = unchecked((long)factor).ToScalar();
        return states.mul_(number);
    }
}
