using System.Runtime.CompilerServices;

namespace DeRa.Torch.Kernels;

/// <summary>
/// A product (<see cref="MatrixProduct"/>) cut into items: some panels times some rows. An item adds a block of inputs at a time, to
/// what its outputs hold, so that what it reads again stays in the processor's caches.
/// </summary>
/// <param name="matrix">[outputs, inputs].</param>
/// <param name="bias">[outputs]; null = none.</param>
/// <param name="input">[rows, inputs].</param>
/// <param name="rows">At least 1.</param>
/// <param name="output">[rows, outputs].</param>
internal sealed unsafe class PanelProduct<TLanes, TFormat>(PackedMatrix matrix, float* bias, float* input, int rows, float* output)
    : IParallelWork
    where TLanes : struct, ILanes<TLanes>
    where TFormat : struct, IWeightFormat
{
    private const int PanelOutputs = PackedMatrix.PanelOutputs;

    /// <summary>Panels of an item: the fewest that fill every tile at any width.</summary>
    private const int ItemPanels = 4;

    /// <summary>Most rows of an item: a block of their inputs stays in the second cache.</summary>
    private const int ItemRows = 384;

    /// <summary>Rows from which it pays to widen weights once for all of them.</summary>
    private const int MinWidenedRows = 48;

    /// <summary>Inputs of a block: a unit's weights of as many, widened, stay in the first cache.</summary>
    private const int WidenedInputs = 256;

    /// <summary>Inputs of a block that is not widened: a panel's weights of as many stay in the second cache.</summary>
    private const int BlockInputs = 1024;

    private static readonly int PanelUnits = PanelOutputs / (2 * TLanes.Count);

    /// <summary>
    /// Whether four units lie in two panels. A tile that reads four is several times slower: their lines lie multiples of 4 KiB apart, and
    /// the first cache has few places for such lines.
    /// </summary>
    private static readonly bool HasRowTile = PanelUnits >= 2;

    [ThreadStatic]
    private static float[]? s_widened; // [inputs of a block, outputs of a unit]

    [ThreadStatic]
    private static float[]? s_lastPanel; // [rows, outputs of a panel]

    /// <summary>How many items.</summary>
    public int Items => (matrix.Panels + ItemPanels - 1) / ItemPanels * RowBlocks;

    /// <summary>Its multiplications.</summary>
    public long Work => (long)rows * matrix.Outputs * matrix.Inputs;

    private int RowBlocks => (rows + ItemRows - 1) / ItemRows;

    /// <inheritdoc/>
    public void Run(int item)
    {
        var (group, block) = Math.DivRem(item, RowBlocks);
        var (first, firstRow) = (group * ItemPanels, block * ItemRows);
        var count = Math.Min(ItemRows, rows - firstRow);
        var end = Math.Min(first + ItemPanels, matrix.Panels);
        var wholeEnd = Math.Min(end, matrix.Outputs / PanelOutputs);
        var from = input + (long)firstRow * matrix.Inputs;
        var to = output + (long)firstRow * matrix.Outputs;
        if (first < wholeEnd) Run(new Area(from, count, to + first * PanelOutputs, matrix.Outputs, first, wholeEnd - first));
        if (wholeEnd < end) RunLast(from, count, to + wholeEnd * PanelOutputs, wholeEnd);
    }

    /// <summary>The last panel, which is wider than its outputs, goes by way of a buffer.</summary>
    private void RunLast(float* from, int count, float* to, int panel)
    {
        s_lastPanel ??= new float[ItemRows * PanelOutputs];
        var width = matrix.Outputs - panel * PanelOutputs;
        fixed (float* buffer = s_lastPanel)
        {
            Run(new Area(from, count, buffer, PanelOutputs, panel, 1));
            for (var row = 0; row < count; row++)
                new Span<float>(buffer + row * PanelOutputs, width).CopyTo(new Span<float>(to + (long)row * matrix.Outputs, width));
        }
    }

    private void Run(Area area)
    {
        Start(area);
        var isWidened = area.Rows >= MinWidenedRows;
        // The rows of one tile read the weights once, from one end to the other.
        var block = isWidened ? WidenedInputs : area.Rows > ProductTile<TLanes, TFormat>.MaxRows ? BlockInputs : matrix.Inputs;
        for (var first = 0; first < matrix.Inputs; first += block)
        {
            var count = Math.Min(block, matrix.Inputs - first);
            if (isWidened) AddWidened(area, first, count);
            else Add(area, first, count);
        }
    }

    /// <summary>Outputs begin as the bias.</summary>
    private void Start(Area area)
    {
        var first = area.FirstPanel * PanelOutputs;
        var width = area.Panels * PanelOutputs;
        var known = Math.Min(width, matrix.Outputs - first);
        for (var row = 0; row < area.Rows; row++)
        {
            var outputs = new Span<float>(area.Output + row * area.OutputStride, width);
            if (bias is null) outputs.Clear();
            else new ReadOnlySpan<float>(bias + first, known).CopyTo(outputs);
        }
    }

    private void Add(Area area, int firstInput, int count)
    {
        for (var row = 0; row < area.Rows; row += ProductTile<TLanes, TFormat>.MaxRows)
        {
            var left = area.Rows - row;
            var tile = new ProductTile<TLanes, TFormat>(
                area.Input + (long)row * matrix.Inputs + firstInput, matrix.Inputs, area.OutputStride, left, count);
            var last = area.Panels * PanelUnits - 1;
            for (var unit = 0; unit <= last;)
            {
                var first = At(unit);
                if (left == 1 && HasRowTile) tile.AddRow(first, At(unit + 1), At(unit + 2), At(unit + 3));
                else if (left <= 2) tile.AddTwoRows(first, At(unit + 1));
                else if (left <= 4) tile.AddFourRows(first);
                else tile.AddSixRows(first);
                unit += left == 1 && HasRowTile ? 4 : left <= 2 ? 2 : 1;
            }

            // Units beyond the last repeat it: they write the same bits twice.
            ProductUnit At(int unit) => Unit(area, row, firstInput, Math.Min(unit, last));
        }
    }

    private void AddWidened(Area area, int firstInput, int count)
    {
        s_widened ??= GC.AllocateUninitializedArray<float>(WidenedInputs * 2 * TLanes.Count, pinned: true);
        fixed (float* widened = s_widened)
            for (var unit = 0; unit < area.Panels * PanelUnits; unit++)
            {
                Widen(Unit(area, row: 0, firstInput, unit).Weights, widened, count);
                for (var row = 0; row < area.Rows; row += ProductTile<TLanes, WidenedLines<TLanes>>.MaxRows)
                    new ProductTile<TLanes, WidenedLines<TLanes>>(
                            area.Input + (long)row * matrix.Inputs + firstInput, matrix.Inputs, area.OutputStride, area.Rows - row, count)
                        .AddSixRows(new ProductUnit((byte*)widened, Unit(area, row, firstInput, unit).Output));
            }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Widen(byte* unit, float* to, int count)
    {
        for (var line = 0; line < count; line++, unit += TFormat.LineBytes, to += 2 * TLanes.Count)
        {
            TLanes.Store(TFormat.First<TLanes>(unit), to);
            TLanes.Store(TFormat.Second<TLanes>(unit), to + TLanes.Count);
        }
    }

    private ProductUnit Unit(Area area, int row, int firstInput, int unit)
    {
        var (panel, part) = Math.DivRem(unit, PanelUnits);
        return new ProductUnit(
            matrix.Panel(area.FirstPanel + panel) + (long)firstInput * TFormat.LineBytes + part * TLanes.Count * sizeof(float),
            area.Output + row * area.OutputStride + panel * PanelOutputs + part * TLanes.Count);
    }

    /// <summary>Some panels' outputs of some rows.</summary>
    private readonly struct Area(float* input, int rows, float* output, long outputStride, int firstPanel, int panels)
    {
        public float* Input { get; } = input;

        public int Rows { get; } = rows;

        public float* Output { get; } = output;

        public long OutputStride { get; } = outputStride;

        public int FirstPanel { get; } = firstPanel;

        public int Panels { get; } = panels;
    }
}
