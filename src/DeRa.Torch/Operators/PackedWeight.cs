using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>A weight matrix for our own kernels (<see cref="MatrixProduct"/>): any type of weights, activations in float32.</summary>
internal sealed unsafe class PackedWeight : IWeightMatrix
{
    private readonly PackedMatrix _matrix;

    private PackedWeight(PackedMatrix matrix) => _matrix = matrix;

    /// <inheritdoc/>
    public long Bytes => _matrix.Bytes;

    /// <inheritdoc/>
    public IEnumerable<Tensor> Tensors => [];

    /// <summary>Packs a matrix, on all threads.</summary>
    /// <param name="weight">
    /// [outputs, inputs], contiguous, on the CPU. Stored as it is; float16 as float32 where a weight is 64 or more, or not finite.
    /// </param>
    public static PackedWeight Of(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var own = weight.dtype == ScalarType.Float16 && !IsPackable(weight) ? weight.to(ScalarType.Float32) : weight;
        var format = own.dtype switch
        {
            ScalarType.Float32 => WeightFormat.Float32,
            ScalarType.BFloat16 => WeightFormat.BFloat16,
            ScalarType.Float16 => WeightFormat.Float16,
            var type => throw new ArgumentOutOfRangeException(nameof(weight), type, message: null),
        };
        var matrix = new PackedMatrix((int)own.size(0), (int)own.size(1), format);
        // The view's span is short; the whole may be longer than a span can be.
        fixed (byte* first = own.narrow(0, 0, 1).bytes) CpuPool.Shared.Run(new Packing(matrix, first), matrix.Panels);
        return new PackedWeight(matrix);
    }

    /// <inheritdoc/>
    public Tensor Product(Tensor input, Tensor? bias)
    {
        using var contiguous = input.contiguous();
        var output = empty([input.size(0), _matrix.Outputs], ScalarType.Float32);
        if (input.size(0) == 0) return output;
        fixed (float* from = CpuKernels.Elements(contiguous), to = CpuKernels.Elements(output))
        fixed (float* added = bias is null ? default : CpuKernels.Elements(bias))
            MatrixProduct.Run(_matrix, added, from, (int)input.size(0), to);
        return output;
    }

    /// <inheritdoc/>
    public Tensor Rows(Tensor outputs)
    {
        var rows = empty([outputs.size(0), _matrix.Inputs], ScalarType.Float32);
        var indices = CpuKernels.Indices(outputs);
        var elements = CpuKernels.Elements(rows);
        for (var i = 0; i < indices.Length; i++)
            _matrix.Unpack(checked((int)indices[i]), elements.Slice(i * _matrix.Inputs, _matrix.Inputs));
        return rows;
    }

    /// <inheritdoc/>
    public void Dispose() => _matrix.Dispose();

    private static bool IsPackable(Tensor weight) => weight.abs().max().to(ScalarType.Float32).item<float>() < Float16Lines.Bound;

    private sealed class Packing(PackedMatrix matrix, byte* rows) : IParallelWork
    {
        public void Run(int item)
        {
            var rowBytes = matrix.PanelBytes / PackedMatrix.PanelOutputs;
            var first = item * PackedMatrix.PanelOutputs;
            var count = Math.Min(PackedMatrix.PanelOutputs, matrix.Outputs - first);
            matrix.Pack(item, new ReadOnlySpan<byte>(rows + first * rowBytes, checked((int)(count * rowBytes))));
        }
    }
}
