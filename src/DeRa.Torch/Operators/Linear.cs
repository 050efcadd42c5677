using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Matrix products with weights.</summary>
internal static class Linear
{
    /// <summary>input · weightᵀ + bias, accumulated in float32.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="layer">[outputs, inputs] and [outputs].</param>
    /// <returns>[rows, outputs] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, LinearWeight layer) => Product(input, layer.Weight, layer.Bias);

    /// <summary>The same for all rows in one product; each adapter then adds its low-rank term to its own rows.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="layer">[outputs, inputs] and [outputs], with its adapters.</param>
    /// <param name="adapterRows">For each adapter: [its rows], int64; null = none.</param>
    /// <returns>[rows, outputs] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, LinearWeight layer, IReadOnlyList<Tensor?> adapterRows)
    {
        var output = Apply(input, layer);
        for (var adapter = 0; adapter < adapterRows.Count; adapter++)
            if (adapterRows[adapter] is { } rows && layer.Adapters[adapter] is { } added) Add(output, input, rows, added);
        return output;
    }

    private static void Add(Tensor output, Tensor input, Tensor rows, LowRank adapter)
    {
        using var scope = NewDisposeScope();
        var low = Product(input.index_select(0, rows), adapter.A, bias: null); // [own rows, rank]
        output.index_add_(0, rows, Product(low, adapter.B, bias: null), Arithmetic.One);
    }

    private static Tensor Product(Tensor input, Tensor weight, Tensor? bias)
    {
        var rows = input.size(0);
        if (rows >= CpuKernels.MinProductRows || !CpuKernels.Supports(input)) return nn.functional.linear(input, weight, bias);
        using var scope = NewDisposeScope();
        var padded = nn.functional.pad(input, [0, 0, 0, CpuKernels.MinProductRows - rows]);
        return nn.functional.linear(padded, weight, bias).narrow(0, 0, rows).MoveToOuterDisposeScope();
    }
}
