using DeRa.Engine.Scheduling;
using DeRa.Torch.Kernels;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// How many threads compute a step on the CPU. A small step uses one: threads that wait for each other at every operator cost more
/// than they save, and occupy processors that write responses. Results do not depend on it.
/// </summary>
/// <param name="models">Those that steps may run.</param>
internal sealed class StepThreads(IReadOnlyList<DecoderModel> models)
{
    /// <summary>
    /// Weights that fit into a processor's cache; larger ones are read from memory, which several threads do faster than one.
    /// </summary>
    private const long CachedBytes = 16 << 20;

    /// <summary>Tokens times parameters up to which a pass is small: about two milliseconds on one thread.</summary>
    private const long SmallWork = 1 << 26;

    private readonly int _threads = LibTorch.Load().Threads;
    private readonly long _mostBytes = models.Max(model => model.Bytes);
    private readonly long[] _parameters = [.. models.Select(model => model.Bytes / Weights.StoredTypes.SizeBytes(model.WeightType))];

    // Two pools of threads that wait for each other slow both down.
    private readonly bool _usesLibTorch = models.Any(model => !model.IsPacked);
    private readonly bool _usesLibTorchForPrompts = models.Any(model => model.IsPrefillByLibTorch);

    /// <summary>Sets them for a step's passes.</summary>
    public void Set(IReadOnlyList<ModelPass> passes)
    {
        var (work, most) = (0L, 0L);
        for (var i = 0; i < passes.Count; i++)
        {
            var tokens = Tokens(passes[i].Rows);
            (work, most) = (Math.Max(work, tokens * _parameters[passes[i].Runner]), Math.Max(most, tokens));
        }
        CpuPool.Shared.Threads = _mostBytes <= CachedBytes && work <= SmallWork ? 1 : _threads;
        var isLibTorchs = _usesLibTorch || (_usesLibTorchForPrompts && most >= PackedWeight.MinLibraryRows);
        set_num_threads(isLibTorchs ? CpuPool.Shared.Threads : 1);
    }

    /// <summary>Leaves all threads to what runs between steps.</summary>
    public void Reset() => set_num_threads(_threads);

    private static long Tokens(IReadOnlyList<PassRow> rows)
    {
        var tokens = 0L;
        for (var i = 0; i < rows.Count; i++) tokens += rows[i].Tokens.Length;
        return tokens;
    }
}
