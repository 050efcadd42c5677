using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DeRa.Cli.Bench.Steps;

/// <summary>How fast threads read memory: each its part of a buffer too large for any cache; the best of a few.</summary>
internal sealed unsafe class ReadBandwidth
{
    private const int Rounds = 5, UnrolledVectors = 8;
    private const long WantedBytes = 1L << 30;

    private readonly byte* _buffer;
    private readonly long _partBytes;
    private readonly ulong[] _sums; // so that nothing is left out as unused

    private ReadBandwidth(byte* buffer, long partBytes, int threads)
    {
        _buffer = buffer;
        (_partBytes, _sums) = (partBytes, new ulong[threads]);
    }

    /// <summary>Measures it: 1 GiB, or a quarter of free memory where that is less.</summary>
    /// <param name="threads">How many read at once; at least 1.</param>
    /// <returns>Bytes a second.</returns>
    public static double Measure(int threads)
    {
        var memory = GC.GetGCMemoryInfo();
        var bytes = Math.Min(WantedBytes, Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes) / 4);
        var block = (long)Vector512<byte>.Count * UnrolledVectors;
        var partBytes = Math.Max(block, bytes / threads / block * block);
        var buffer = (byte*)NativeMemory.AlignedAlloc((nuint)(partBytes * threads), 64);
        try
        {
            var bandwidth = new ReadBandwidth(buffer, partBytes, threads);
            // Also gives every page memory of its own.
            bandwidth.OnThreads(thread => NativeMemory.Fill(buffer + thread * partBytes, (nuint)partBytes, 1));
            var best = double.PositiveInfinity;
            for (var round = 0; round < Rounds; round++) best = Math.Min(best, bandwidth.OnThreads(bandwidth.Read));
            return partBytes * threads / best;
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    /// <summary>Runs work on all threads, which begin together; returns the seconds until the last has ended.</summary>
    private double OnThreads(Action<int> work)
    {
        using var start = new Barrier(_sums.Length + 1);
        var threads = new Thread[_sums.Length];
        for (var i = 0; i < threads.Length; i++)
        {
            var thread = i;
            threads[i] = new Thread(() =>
            {
                start.SignalAndWait();
                work(thread);
            });
            threads[i].Start();
        }
        start.SignalAndWait();
        var began = Stopwatch.GetTimestamp();
        foreach (var thread in threads) thread.Join();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private void Read(int thread)
    {
        var at = _buffer + thread * _partBytes;
        var end = at + _partBytes;
        var width = Vector256<ulong>.Count * sizeof(ulong);
        var (a, b, c, d) = (Vector256<ulong>.Zero, Vector256<ulong>.Zero, Vector256<ulong>.Zero, Vector256<ulong>.Zero);
        for (; at < end; at += 4 * width)
        {
            a ^= Vector256.Load((ulong*)at);
            b ^= Vector256.Load((ulong*)(at + width));
            c ^= Vector256.Load((ulong*)(at + 2 * width));
            d ^= Vector256.Load((ulong*)(at + 3 * width));
        }
        _sums[thread] = Vector256.Sum(a ^ b ^ c ^ d);
    }
}
