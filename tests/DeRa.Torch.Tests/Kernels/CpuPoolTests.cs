using DeRa.Torch.Kernels;
using Xunit;

namespace DeRa.Torch.Tests.Kernels;

public sealed class CpuPoolTests
{
    [Fact]
    public void Every_item_of_every_work_runs_once_whatever_the_threads_and_callers()
    {
        var pool = new CpuPool();
        var faults = 0;
        // Several callers at once: one has the threads, the others run alone.
        var callers = Enumerable.Range(0, 3).Select(caller => new Thread(() =>
        {
            var random = new Random(caller);
            for (var round = 0; round < 2000; round++)
            {
                pool.Threads = random.Next(1, 5);
                var work = new Counting(random.Next(0, 30));
                pool.Run(work, work.Counts.Length);
                if (!work.Counts.All(count => count == 1)) Interlocked.Increment(ref faults);
                // Now and then long enough that threads fall asleep.
                if (round % 200 == 0) Thread.Sleep(1);
            }
        })).ToList();
        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());
        Assert.Equal(0, faults);
    }

    [Fact]
    public void Work_may_begin_other_work()
    {
        var pool = new CpuPool { Threads = 3 };
        var inner = Enumerable.Range(0, 8).Select(_ => new Counting(5)).ToArray();
        pool.Run(new Each(item => pool.Run(inner[item], 5)), inner.Length);
        Assert.All(inner, work => Assert.All(work.Counts, count => Assert.Equal(1, count)));
    }

    [Fact]
    public void What_an_item_throws_reaches_the_caller_and_the_pool_goes_on()
    {
        var pool = new CpuPool { Threads = 2 };
        var failing = new Each(item => throw new InvalidOperationException($"item {item}"));
        for (var round = 0; round < 20; round++)
        {
            Assert.StartsWith("item", Assert.Throws<InvalidOperationException>(() => pool.Run(failing, 4)).Message);
            var work = new Counting(9);
            pool.Run(work, 9);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Threads = 0);
    }

    private sealed class Each(Action<int> run) : IParallelWork
    {
        public void Run(int item) => run(item);
    }

    private sealed class Counting(int items) : IParallelWork
    {
        public int[] Counts { get; } = new int[items];

        public void Run(int item) => Interlocked.Increment(ref Counts[item]);
    }
}
