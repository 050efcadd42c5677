using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace DeRa.Torch.Kernels;

/// <summary>Work in items that may run in any order, several at once.</summary>
internal interface IParallelWork
{
    /// <summary>Runs one item. Any thread.</summary>
    /// <param name="item">From 0.</param>
    void Run(int item);
}

/// <summary>
/// The threads of our kernels. They take items off a counter, the caller among them; between two works they spin for some
/// microseconds, since the next operator follows at once within a step, and then sleep.
/// </summary>
internal sealed class CpuPool
{
    private const int Closed = int.MinValue;
    private const long SpinMicroseconds = 50;

    private static readonly long SpinTicks = SpinMicroseconds * Stopwatch.Frequency / 1_000_000;

    private readonly Lock _caller = new();
    private readonly object _sleep = new(); // workers wait for the epoch to change
    private int _workers; // threads started
    private IParallelWork? _work;
    private Exception? _failure;
    private int _items;
    private int _next; // item
    private int _most; // workers that may be inside
    private int _inside = Closed; // workers that run items
    private int _epoch; // works so far
    private int _asleep;
    private volatile int _threads = Environment.ProcessorCount;

    /// <summary>The one that a process uses.</summary>
    public static CpuPool Shared { get; } = new();

    /// <summary>Threads of a work, its caller included; at least 1. Default: the processors.</summary>
    public int Threads
    {
        get => _threads;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _threads = value;
        }
    }

    /// <summary>
    /// Runs all items and waits for them; what one throws, the caller gets. Where the threads have other work, or from within an item,
    /// the caller runs all itself.
    /// </summary>
    /// <param name="work">The items.</param>
    /// <param name="items">How many.</param>
    public void Run(IParallelWork work, int items)
    {
        var others = Math.Min(_threads, items) - 1;
        if (others < 1 || _caller.IsHeldByCurrentThread || !_caller.TryEnter())
        {
            for (var item = 0; item < items; item++) work.Run(item);
            return;
        }
        try
        {
            Open(work, items, others);
            RunItems(work);
            Close();
            if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        }
        finally
        {
            _caller.Exit();
        }
    }

    private void Open(IParallelWork work, int items, int others)
    {
        for (; _workers < others; _workers++)
            new Thread(Serve) { IsBackground = true, Name = $"kernel {_workers + 1}" }.Start();
        (_work, _failure, _items, _next, _most) = (work, null, items, 0, others);
        Volatile.Write(ref _inside, 0);
        Interlocked.Increment(ref _epoch);
        if (Volatile.Read(ref _asleep) == 0) return;
        lock (_sleep)
            for (var i = 0; i < others; i++) Monitor.Pulse(_sleep);
    }

    /// <summary>Waits for the workers that run an item; no other gets in any more.</summary>
    private void Close()
    {
        var wait = new SpinWait();
        while (Interlocked.CompareExchange(ref _inside, Closed, 0) != 0) wait.SpinOnce(sleep1Threshold: -1);
        _work = null;
    }

    private void RunItems(IParallelWork work)
    {
        try
        {
            for (var item = Take(); item < _items; item = Take()) work.Run(item);
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }

    private int Take() => Interlocked.Increment(ref _next) - 1;

    private void Serve()
    {
        for (var seen = 0; ;)
        {
            seen = AwaitWork(seen);
            if (!TryEnter()) continue;
            RunItems(_work!);
            Interlocked.Decrement(ref _inside);
        }
    }

    private bool TryEnter()
    {
        for (var inside = Volatile.Read(ref _inside); inside >= 0 && inside < _most;)
        {
            var found = Interlocked.CompareExchange(ref _inside, inside + 1, inside);
            if (found == inside) return true;
            inside = found;
        }
        return false;
    }

    /// <summary>Returns the number of works so far, once it is another than the one that was seen last.</summary>
    private int AwaitWork(int seen)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - began < SpinTicks;)
        {
            if (Volatile.Read(ref _epoch) is var epoch && epoch != seen) return epoch;
            Thread.SpinWait(8);
        }
        lock (_sleep)
        {
            // Counted before the last look at the epoch: who begins a work raises that before it looks who sleeps.
            Interlocked.Increment(ref _asleep);
            while (Volatile.Read(ref _epoch) == seen) Monitor.Wait(_sleep);
            Interlocked.Decrement(ref _asleep);
            return _epoch;
        }
    }
}
