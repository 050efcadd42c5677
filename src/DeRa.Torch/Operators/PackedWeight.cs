using DeRa.Torch.Kernels;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>A weight matrix for our own kernels (<see cref="MatrixProduct"/>): any type of weights, activations in float32.</summary>
internal sealed unsafe class PackedWeight : IWeightMatrix
{
    /// <summary>Rows from which libtorch's product is used where it is asked for: the same as weights are widened from for ours.</summary>
    internal const int MinLibraryRows = 48;

    /// <summary>Panels that are widened at once for libtorch's product.</summary>
    private const int LibraryPanels = 64;

    private readonly PackedMatrix _matrix;

    private PackedWeight(PackedMatrix matrix, bool isPrefillByLibTorch) => (_matrix, IsPrefillByLibTorch) = (matrix, isPrefillByLibTorch);

    /// <inheritdoc/>
    public long Bytes => _matrix.Bytes;

    /// <inheritdoc/>
    public IEnumerable<Tensor> Tensors => [];

    /// <summary>Whether libtorch computes products of <see cref="MinLibraryRows"/> rows or more.</summary>
    public bool IsPrefillByLibTorch { get; }

    /// <summary>Packs a matrix, on all threads.</summary>
    /// <param name="weight">
    /// [outputs, inputs], contiguous, on the CPU. Stored as it is; float16 as float32 where a weight is 64 or more, or not finite.
    /// </param>
    /// <param name="isPrefillByLibTorch"><see cref="Native.KernelsOption.IsPrefillByLibTorch"/>.</param>
    public static PackedWeight Of(Tensor weight, bool isPrefillByLibTorch = false)
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
        return new PackedWeight(matrix, isPrefillByLibTorch);
    }

    /// <inheritdoc/>
    public Tensor Product(Tensor input, Tensor? bias)
    {
        using var contiguous = input.contiguous();
        var output = empty([input.size(0), _matrix.Outputs], ScalarType.Float32);
        if (input.size(0) == 0) return output;
        if (IsPrefillByLibTorch && input.size(0) >= MinLibraryRows)
        {
            MultiplyByLibTorch(contiguous, output);
            return bias is null ? output : output.PlusInPlace(bias);
        }
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

    private static bool IsPackable(Tensor weight) =>
        weight.max().to(ScalarType.Float32).item<float>() < Float16Lines.Bound
        && weight.min().to(ScalarType.Float32).item<float>() > -Float16Lines.Bound;

    private void MultiplyByLibTorch(Tensor input, Tensor output)
    {
        for (var first = 0; first < _matrix.Panels; first += LibraryPanels)
        {
            using var scope = NewDisposeScope();
            var panels = Math.Min(LibraryPanels, _matrix.Panels - first);
            var widened = empty([_matrix.Inputs, panels * PackedMatrix.PanelOutputs], ScalarType.Float32);
            fixed (float* to = CpuKernels.Elements(widened))
                CpuPool.Shared.Run(new PanelWidening(_matrix, first, to, panels), panels);
            var start = first * PackedMatrix.PanelOutputs;
            var count = Math.Min(panels * PackedMatrix.PanelOutputs, _matrix.Outputs - start);
            output.narrow(1, start, count).copy_(input.matmul(widened).narrow(1, 0, count));
        }
    }

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
