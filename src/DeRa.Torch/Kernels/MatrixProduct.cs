using System.Runtime.Intrinsics;

namespace DeRa.Torch.Kernels;

/// <summary>
/// Products of rows with packed matrices: one accumulator an output, inputs ascending, fused multiply-add. A row's result is the same
/// bits alone and beside any others, on any number of threads and in vectors of any width.
/// </summary>
internal static unsafe class MatrixProduct
{
    /// <summary>Multiplications, some ten microseconds' worth, below which one thread finishes before others have started.</summary>
    private const long MinParallelWork = 1 << 18;

    /// <summary>Bits of the widest vectors of this processor: 512, 256 or 128.</summary>
    public static int VectorBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>output = input · matrixᵀ + bias, by the widest vectors of this processor. Any thread.</summary>
    /// <param name="matrix">[outputs, inputs].</param>
    /// <param name="bias">[outputs]; null = none.</param>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="rows">At least 1.</param>
    /// <param name="output">[rows, outputs], overwritten.</param>
    public static void Run(PackedMatrix matrix, float* bias, float* input, int rows, float* output)
    {
        if (VectorBits == 512) Run<Lanes512>(matrix, bias, input, rows, output);
        else if (VectorBits == 256) Run<Lanes256>(matrix, bias, input, rows, output);
        else Run<Lanes128>(matrix, bias, input, rows, output);
    }

    /// <summary>The same by vectors of one width.</summary>
    public static void Run<TLanes>(PackedMatrix matrix, float* bias, float* input, int rows, float* output)
        where TLanes : struct, ILanes<TLanes>
    {
        switch (matrix.Format)
        {
            case WeightFormat.Float32: Run(new PanelProduct<TLanes, Float32Lines>(matrix, bias, input, rows, output)); break;
            case WeightFormat.BFloat16: Run(new PanelProduct<TLanes, BFloat16Lines>(matrix, bias, input, rows, output)); break;
            case WeightFormat.Float16: Run(new PanelProduct<TLanes, Float16Lines>(matrix, bias, input, rows, output)); break;
            default: throw new ArgumentOutOfRangeException(nameof(matrix), matrix.Format, message: null);
        }
    }

    private static void Run<TLanes, TFormat>(PanelProduct<TLanes, TFormat> product)
        where TLanes : struct, ILanes<TLanes>
        where TFormat : struct, IWeightFormat
    {
        if (product.Work >= MinParallelWork) CpuPool.Shared.Run(product, product.Items);
        else for (var item = 0; item < product.Items; item++) product.Run(item);
    }
}
