using System.Runtime.InteropServices;
using DeRa.Torch.Kernels;

namespace DeRa.Torch.Tests.Kernels;

/// <summary>A random matrix, packed, with what it holds and inputs for it.</summary>
internal sealed unsafe class PackedCase : IDisposable
{
    public PackedCase(int outputs, int inputs, WeightFormat format, int rows, int seed)
    {
        var random = new Random(seed);
        Matrix = new PackedMatrix(outputs, inputs, format);
        Weights = new float[outputs * inputs];
        Input = Numbers(random, rows * inputs);
        Bias = Numbers(random, outputs);
        var elementBytes = format == WeightFormat.Float32 ? 4 : 2;
        var rowBytes = inputs * elementBytes;
        var stored = new byte[outputs * rowBytes];
        for (var i = 0; i < Weights.Length; i++) Weights[i] = Store(random, format, stored.AsSpan(i * elementBytes));
        for (var panel = 0; panel < Matrix.Panels; panel++)
            Matrix.Pack(panel, stored.AsSpan(panel * PackedMatrix.PanelOutputs * rowBytes,
                Math.Min(PackedMatrix.PanelOutputs, outputs - panel * PackedMatrix.PanelOutputs) * rowBytes));
    }

    public PackedMatrix Matrix { get; }

    /// <summary>[outputs, inputs], as stored.</summary>
    public float[] Weights { get; }

    /// <summary>[rows, inputs].</summary>
    public float[] Input { get; }

    /// <summary>[outputs].</summary>
    public float[] Bias { get; }

    /// <summary>The product of some rows: [count, outputs].</summary>
    public float[] Run<TLanes>(int firstRow, int count, bool hasBias = true) where TLanes : struct, ILanes<TLanes>
    {
        // What lies beyond the outputs must stay as it is.
        var output = Enumerable.Repeat(float.NaN, count * Matrix.Outputs + 64).ToArray();
        fixed (float* input = Input.AsSpan(firstRow * Matrix.Inputs), bias = Bias, to = output)
            MatrixProduct.Run<TLanes>(Matrix, hasBias ? bias : null, input, count, to);
        Xunit.Assert.All(output[^64..], value => Xunit.Assert.True(float.IsNaN(value)));
        return output[..^64];
    }

    public void Dispose() => Matrix.Dispose();

    private static float[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];

    /// <summary>Writes a number of the format, subnormal ones and both zeros among them, and returns it.</summary>
    private static float Store(Random random, WeightFormat format, Span<byte> to)
    {
        var number = (random.NextDouble() * 2 - 1) * (random.Next(20) switch { 0 => 1e-6, 1 => 30, 2 => 0, _ => 0.1 });
        switch (format)
        {
            case WeightFormat.Float32:
                MemoryMarshal.Write(to, (float)number);
                return (float)number;
            case WeightFormat.BFloat16:
                var upper = (ushort)(BitConverter.SingleToUInt32Bits((float)number) >> 16);
                MemoryMarshal.Write(to, upper);
                return BitConverter.UInt32BitsToSingle((uint)upper << 16);
            default:
                MemoryMarshal.Write(to, (Half)number);
                return (float)(Half)number;
        }
    }
}
