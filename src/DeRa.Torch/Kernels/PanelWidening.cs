using System.Runtime.CompilerServices;

namespace DeRa.Torch.Kernels;

/// <summary>Panels of a packed matrix in float32, side by side, an item a panel: what a library's product reads.</summary>
/// <param name="matrix">[outputs, inputs].</param>
/// <param name="firstPanel">The first one.</param>
/// <param name="output">[inputs, panels · <see cref="PackedMatrix.PanelOutputs"/>], written.</param>
/// <param name="panels">How many panels.</param>
internal sealed unsafe class PanelWidening(PackedMatrix matrix, int firstPanel, float* output, int panels) : IParallelWork
{
    /// <inheritdoc/>
    public void Run(int item)
    {
        switch (matrix.Format)
        {
            case WeightFormat.Float32: Run<Float32Lines>(item); break;
            case WeightFormat.BFloat16: Run<BFloat16Lines>(item); break;
            case WeightFormat.Float16: Run<Float16Lines>(item); break;
            default: throw new InvalidOperationException($"{matrix.Format} is no known format.");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Run<TFormat>(int item) where TFormat : struct, IWeightFormat
    {
        const int Half = PackedMatrix.PanelOutputs / 2;
        var line = matrix.Panel(firstPanel + item);
        var to = output + item * PackedMatrix.PanelOutputs;
        for (var input = 0; input < matrix.Inputs; input++)
        {
            for (var first = 0; first < Half; first += Lanes256.Count)
            {
                Lanes256.Store(TFormat.First<Lanes256>(line + first * sizeof(float)), to + first);
                Lanes256.Store(TFormat.Second<Lanes256>(line + first * sizeof(float)), to + Half + first);
            }
            line += TFormat.LineBytes;
            to += panels * PackedMatrix.PanelOutputs;
        }
    }
}
