namespace DeRa.Torch.Kernels;

/// <summary>Work on the rows of a matrix, each by itself.</summary>
internal interface IRowWork
{
    /// <summary>Rows [first, end). Any thread.</summary>
    void Run(int first, int end);
}

/// <summary>Work on rows, cut into items: a small one runs on the calling thread, a large one on all (<see cref="CpuPool"/>).</summary>
internal sealed class RowWork<TWork> : IParallelWork
    where TWork : struct, IRowWork
{
    /// <summary>Elements below which one thread finishes before others have started.</summary>
    private const long MinParallelElements = 1 << 16;

    /// <summary>Elements of an item, about ten microseconds' worth.</summary>
    private const int ItemElements = 1 << 14;

    private readonly TWork _work;
    private readonly int _rows;
    private readonly int _itemRows;

    private RowWork(TWork work, int rows, int itemRows) => (_work, _rows, _itemRows) = (work, rows, itemRows);

    /// <summary>Runs all rows and waits for them.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="rows">How many.</param>
    /// <param name="width">Elements of a row, at least 1.</param>
    public static void Run(TWork work, int rows, int width)
    {
        if ((long)rows * width < MinParallelElements)
        {
            work.Run(0, rows);
            return;
        }
        var itemRows = Math.Max(1, ItemElements / width);
        CpuPool.Shared.Run(new RowWork<TWork>(work, rows, itemRows), (rows + itemRows - 1) / itemRows);
    }

    /// <inheritdoc/>
    public void Run(int item) => _work.Run(item * _itemRows, Math.Min((item + 1) * _itemRows, _rows));
}
