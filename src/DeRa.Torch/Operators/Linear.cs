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
    public static Tensor Apply(Tensor input, LinearWeight layer) => layer.Weight.Product(input, layer.Bias);

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
        var low = adapter.A.Product(input.index_select(0, rows), bias: null); // [own rows, rank]
        output.index_add_(0, rows, adapter.B.Product(low, bias: null), Arithmetic.One);
    }
}
