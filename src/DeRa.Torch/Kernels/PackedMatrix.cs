using System.Runtime.InteropServices;

namespace DeRa.Torch.Kernels;

/// <summary>
/// A weight matrix [outputs, inputs] as the kernels read it: in panels of <see cref="PanelOutputs"/> outputs, in each a line an input
/// (<see cref="IWeightFormat"/>). The last panel is padded with zeros. Native memory; any thread may read it.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Outputs of a panel: a line of 16-bit weights is a cache line of 64 bytes.</summary>
    public const int PanelOutputs = 32;

    private const int Alignment = 64;

    private byte* _panels;

    /// <summary>Allocates one, not yet filled.</summary>
    /// <param name="outputs">At least 1.</param>
    /// <param name="inputs">At least 1.</param>
    /// <param name="format">How weights are stored.</param>
    public PackedMatrix(int outputs, int inputs, WeightFormat format)
    {
        (Outputs, Inputs, Format) = (outputs, inputs, format);
        var isLarge = Bytes >= HugePages.PageBytes;
        _panels = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, (nuint)(isLarge ? HugePages.PageBytes : Alignment));
        if (isLarge) HugePages.Ask(_panels, (nuint)Bytes);
    }

    /// <summary>Rows of the matrix.</summary>
    public int Outputs { get; }

    /// <summary>Its columns.</summary>
    public int Inputs { get; }

    /// <summary>How weights are stored.</summary>
    public WeightFormat Format { get; }

    /// <summary>How many panels.</summary>
    public int Panels => (Outputs + PanelOutputs - 1) / PanelOutputs;

    /// <summary>From one panel to the next.</summary>
    public long PanelBytes => (long)Inputs * PanelOutputs * ElementBytes;

    /// <summary>Memory it takes, padding included.</summary>
    public long Bytes => Panels * PanelBytes;

    private int ElementBytes => Format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>A panel's lines, <see cref="PanelBytes"/>.</summary>
    public byte* Panel(int panel) => _panels + panel * PanelBytes;

    /// <summary>Fills a panel.</summary>
    /// <param name="panel">From 0.</param>
    /// <param name="rows">
    /// The matrix's rows from the panel's first on, as many as it has, row after row in the matrix's format.
    /// </param>
    public void Pack(int panel, ReadOnlySpan<byte> rows)
    {
        var to = new Span<byte>(Panel(panel), checked((int)PanelBytes));
        if (Format == WeightFormat.Float32) Pack(MemoryMarshal.Cast<byte, uint>(rows), MemoryMarshal.Cast<byte, uint>(to));
        else Pack(MemoryMarshal.Cast<byte, ushort>(rows), MemoryMarshal.Cast<byte, ushort>(to));
        if (Format != WeightFormat.Float16) return;
        foreach (ref var weight in MemoryMarshal.Cast<byte, Half>(to)) weight = (Half)((float)weight * Float16Lines.Factor);
    }

    /// <summary>Copies a row out of the matrix, widened.</summary>
    /// <param name="output">Its row.</param>
    /// <param name="row">[inputs].</param>
    /// <exception cref="ArgumentOutOfRangeException">The matrix has no such row.</exception>
    public void Unpack(int output, Span<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, Outputs);
        var lines = Panel(output / PanelOutputs);
        var place = Place(output % PanelOutputs);
        for (var input = 0; input < row.Length; input++)
        {
            var element = (long)input * PanelOutputs + place;
            row[input] = Format switch
            {
                WeightFormat.Float32 => ((float*)lines)[element],
                WeightFormat.BFloat16 => BitConverter.Int32BitsToSingle(((ushort*)lines)[element] << 16),
                _ => (float)((Half*)lines)[element] / Float16Lines.Factor,
            };
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_panels);
        _panels = null;
    }

    private void Pack<T>(ReadOnlySpan<T> rows, Span<T> to) where T : unmanaged
    {
        const int Block = 16; // Inputs at once: what is read and written then stays in the first cache.
        to.Clear();
        var count = rows.Length / Inputs;
        for (var start = 0; start < Inputs; start += Block)
            for (var output = 0; output < count; output++)
            {
                var place = Place(output);
                var row = rows.Slice(output * Inputs, Inputs);
                for (var input = start; input < Math.Min(start + Block, Inputs); input++) to[input * PanelOutputs + place] = row[input];
            }
    }

    /// <summary>Where an output of a panel lies in a line.</summary>
    private int Place(int output)
    {
        const int Half = PanelOutputs / 2;
        if (Format == WeightFormat.Float32) return output;
        return output < Half ? 2 * output : 2 * (output - Half) + 1;
    }
}
