using DeRa.Torch.Kernels;
using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Kernels;

public sealed unsafe class CacheFormatTests
{
    [Fact]
    public void Every_bfloat16_and_half_is_read_exactly_at_any_width()
    {
        var stored = new ushort[ushort.MaxValue + 1];
        for (var i = 0; i < stored.Length; i++) stored[i] = (ushort)i;
        var (upper, halves) = (stored.Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)).ToArray(),
            stored.Select(bits => (float)BitConverter.UInt16BitsToHalf(bits)).ToArray());
        foreach (var read in new[] { Read<Lanes128, BFloat16Cache>(stored), Read<Lanes256, BFloat16Cache>(stored),
            Read<Lanes512, BFloat16Cache>(stored) }) AssertSame(upper, read);
        foreach (var read in new[] { Read<Lanes128, Float16Cache>(stored), Read<Lanes256, Float16Cache>(stored),
            Read<Lanes512, Float16Cache>(stored) }) AssertSame(halves, read);
    }

    [Fact]
    public void Numbers_are_rounded_as_libtorch_does()
    {
        LibTorch.Load();
        using var scope = NewDisposeScope();
        var random = new Random(9);
        var numbers = Enumerable.Range(0, 100_000).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)))
            .Concat(Enumerable.Range(0, 100_000).Select(_ => (float)(random.NextDouble() * 2 - 1) * MathF.Pow(2, random.Next(-30, 18))))
            // Ties, the least numbers, the largest ones and what lies beyond.
            .Concat([0, -0f, 1 + 1 / 256f, 1 + 3 / 256f, 1 + 1 / 2048f, 1 + 3 / 2048f, 3e-8f, 2.98e-8f, 65504, 65519, 65520, float.MaxValue,
                float.PositiveInfinity, float.NegativeInfinity, float.NaN]).ToArray();
        AssertSame(tensor(numbers).to(ScalarType.BFloat16).to(ScalarType.Float32).data<float>().ToArray(), Written<BFloat16Cache>(numbers));
        AssertSame(tensor(numbers).to(ScalarType.Float16).to(ScalarType.Float32).data<float>().ToArray(), Written<Float16Cache>(numbers));
    }

    private static float[] Read<TLanes, TFormat>(ushort[] stored)
        where TLanes : struct, ILanes<TLanes>
        where TFormat : struct, ICacheFormat
    {
        var read = new float[stored.Length];
        fixed (ushort* from = stored)
        fixed (float* to = read)
            for (var i = 0; i < stored.Length; i += TLanes.Count) TLanes.Store(TFormat.Load<TLanes>((byte*)(from + i)), to + i);
        return read;
    }

    private static float[] Written<TFormat>(float[] numbers) where TFormat : struct, ICacheFormat
    {
        var element = stackalloc byte[4];
        var read = new float[numbers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            TFormat.Store(numbers[i], element);
            read[i] = TFormat.Load(element);
        }
        return read;
    }

    private static void AssertSame(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(float.IsNaN(expected[i]) ? float.IsNaN(actual[i])
                : BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]),
                $"{i}: {expected[i]}, {actual[i]}");
    }
}
