using DeRa.Torch.Kernels;

namespace DeRa.Torch.Operators;

/// <summary>
/// One call of <see cref="CpuAttention"/>, cut into units: tokens of a row for a key head. Where there are too few units for the threads,
/// each split of a unit is an item, and its results are added up when all are there.
/// </summary>
/// <param name="layer">What all units share.</param>
/// <param name="plan">The rows.</param>
internal sealed unsafe class AttentionWork<TLanes, TFormat>(AttentionLayer layer, CpuPlan plan) : IParallelWork
    where TLanes : struct, ILanes<TLanes>
    where TFormat : struct, ICacheFormat
{
    /// <summary>Queries of a unit: enough to read keys and values from the second cache, where they fit.</summary>
    private const int UnitRows = 48;

    /// <summary>Multiplications, some ten microseconds' worth, below which one thread finishes before others have started.</summary>
    private const long MinParallelWork = 1 << 18;

    /// <summary>Units for each thread from which these share the work well.</summary>
    private const int UnitsPerThread = 4;

    /// <summary>Most elements of the splits' results.</summary>
    private const long MostResults = 1 << 22;

    [ThreadStatic]
    private static int[]? s_ends;

    [ThreadStatic]
    private static float[]? s_results;

    private readonly int _unitTokens = Math.Max(1, UnitRows / layer.Group);
    private readonly int _rowSize = AttentionRow.Size(layer.PaddedDimension);
    private int[] _ends = []; // [contexts]: units up to each
    private int _units;
    private int _unitRows;
    private int _splits; // that a unit has at most; 0 = items are whole units
    private float* _results; // [units, splits, rows of a unit], an AttentionRow each
    private bool _isAdding;

    /// <summary>Runs it.</summary>
    public void Run()
    {
        var (work, splits) = Count();
        var threads = CpuPool.Shared.Threads;
        if (work < MinParallelWork || threads == 1)
        {
            for (var unit = 0; unit < _units; unit++) Run(unit);
            return;
        }
        var results = (long)_units * splits * _unitRows * _rowSize;
        if (_units >= UnitsPerThread * threads || splits == 1 || results > MostResults) CpuPool.Shared.Run(this, _units);
        else RunSplits(splits, (int)results);
    }

    /// <inheritdoc/>
    public void Run(int item)
    {
        var scratch = AttentionScratch.Of(Math.Max(UnitRows, layer.Group), layer.PaddedDimension);
        var split = _splits == 0 || _isAdding ? -1 : item % _splits;
        var unit = Unit(split < 0 ? item : item / _splits);
        if (_isAdding)
        {
            Clear(scratch.Rows, unit.Tokens * layer.Group);
            for (var part = 0; part < _splits; part++)
                for (var row = 0; row < unit.Tokens * layer.Group; row++)
                    Row(scratch.Rows, row).Add(Row(Result(item, part), row));
            Finish(unit, scratch.Rows);
            return;
        }
        var attention = new SplitAttention<TLanes, TFormat>(layer, plan.Window, scratch);
        var (first, end) = (unit.FirstSplit(plan.Window), unit.EndSplit);
        var rows = split < 0 ? scratch.Rows : Result(item / _splits, split);
        Clear(rows, unit.Tokens * layer.Group);
        if (split >= end - first) return;
        layer.CopyQueries(unit.Context.FirstToken + unit.FirstToken, unit.Tokens, unit.Head, scratch.Queries);
        if (split >= 0)
        {
            attention.AddTo(unit, first + split, rows);
            return;
        }
        for (var part = first; part < end; part++) attention.AddTo(unit, part, rows);
        Finish(unit, rows);
    }

    private void RunSplits(int splits, int results)
    {
        if (s_results is null || s_results.Length < results) s_results = GC.AllocateUninitializedArray<float>(results, pinned: true);
        fixed (float* start = s_results)
        {
            _results = start;
            _splits = splits;
            CpuPool.Shared.Run(this, _units * splits);
            _isAdding = true;
            CpuPool.Shared.Run(this, _units);
        }
    }

    /// <summary>Counts units; returns multiplications, or about as many, and the splits that a unit has at most.</summary>
    private (long Work, int Splits) Count()
    {
        if (s_ends is null || s_ends.Length < plan.Contexts.Count) s_ends = new int[plan.Contexts.Count + 16];
        _ends = s_ends;
        var (work, splits) = (0L, 1);
        for (var i = 0; i < plan.Contexts.Count; i++)
        {
            var context = plan.Contexts[i];
            _units += (context.Tokens + _unitTokens - 1) / _unitTokens * layer.Pool.KeyValueHeads;
            _ends[i] = _units;
            _unitRows = Math.Max(_unitRows, Math.Min(context.Tokens, _unitTokens) * layer.Group);
            var whole = new AttentionUnit(context, FirstToken: 0, context.Tokens, Head: 0);
            // A unit sees no more positions than its tokens and the window before them; they touch a split more than they fill.
            var most = (plan.Window + (long)_unitTokens - 2) / CpuAttention.SplitPositions + 2;
            splits = (int)Math.Max(splits, Math.Min(most, whole.EndSplit - whole.FirstSplit(plan.Window)));
            work += (long)context.Tokens * (context.Position + context.Tokens - context.FirstSeen(token: 0, plan.Window));
        }
        return (work * layer.Dimension * layer.Group * layer.Pool.KeyValueHeads, splits);
    }

    /// <summary>The units of a row's last tokens come first: they take the longest.</summary>
    private AttentionUnit Unit(int index)
    {
        index = _units - 1 - index;
        var found = Array.BinarySearch(_ends, 0, plan.Contexts.Count, index + 1);
        var row = found < 0 ? ~found : found;
        var (tile, head) = Math.DivRem(index - (row == 0 ? 0 : _ends[row - 1]), layer.Pool.KeyValueHeads);
        var context = plan.Contexts[row];
        return new AttentionUnit(context, tile * _unitTokens, Math.Min(_unitTokens, context.Tokens - tile * _unitTokens), head);
    }

    private float* Result(int unit, int split) => _results + ((long)unit * _splits + split) * _unitRows * _rowSize;

    private AttentionRow Row(float* rows, int row) => new(rows + row * _rowSize, layer.PaddedDimension);

    private void Clear(float* rows, int count)
    {
        for (var row = 0; row < count; row++) Row(rows, row).Total = 0;
    }

    private void Finish(AttentionUnit unit, float* rows)
    {
        for (var row = 0; row < unit.Tokens * layer.Group; row++)
        {
            var (token, member) = Math.DivRem(row, layer.Group);
            layer.Finish(unit.Context.FirstToken + unit.FirstToken + token, unit.Head, member, Row(rows, row));
        }
    }
}
