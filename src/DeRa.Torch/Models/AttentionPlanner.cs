using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Builds the index tensors and masks of a step's attention.</summary>
/// <param name="decodeRows">The rows of a single token.</param>
/// <param name="chunkRows">The rows of several tokens, whose tokens follow those of <paramref name="decodeRows"/>.</param>
/// <param name="slots">Maps positions to cache slots.</param>
/// <param name="device">Where the tensors go.</param>
/// <param name="type">Element type of the masks: the model's.</param>
internal sealed class AttentionPlanner(
    IReadOnlyList<StepRow> decodeRows, IReadOnlyList<StepRow> chunkRows, CacheSlots slots, Device device, ScalarType type)
{
    /// <summary>What each token may attend to in layers with that window.</summary>
    /// <param name="window">The current token and those before it; at least 1.</param>
    /// <returns>Tensors owned by the caller's scope.</returns>
    public AttentionPlan Build(int window)
    {
        if (CpuKernels.Supports(device, type)) return new AttentionPlan(Decode: null, []) { Cpu = BuildCpu(window) };
        var chunks = new List<ChunkContext>(chunkRows.Count);
        var firstToken = decodeRows.Count;
        foreach (var row in chunkRows)
        {
            chunks.Add(BuildChunk(row, firstToken, window));
            firstToken += row.Tokens.Length;
        }
        return new AttentionPlan(decodeRows.Count > 0 ? BuildDecode(window) : null, chunks);
    }

    private List<CpuContext> BuildCpu(int window)
    {
        var contexts = new List<CpuContext>(decodeRows.Count + chunkRows.Count);
        var firstToken = 0;
        foreach (var row in decodeRows.Concat(chunkRows))
        {
            var start = Math.Max(0, row.Position + 1 - window);
            var context = new int[row.Position + row.Tokens.Length - start];
            for (var i = 0; i < context.Length; i++) context[i] = (int)slots.Of(row, start + i);
            contexts.Add(new CpuContext(firstToken, row.Tokens.Length, context, window));
            firstToken += row.Tokens.Length;
        }
        return contexts;
    }

    private DecodeContext BuildDecode(int window)
    {
        var width = decodeRows.Max(row => Math.Min(row.Position + 1, window));
        var context = new long[decodeRows.Count * width];
        var lengths = new long[decodeRows.Count];
        for (var i = 0; i < lengths.Length; i++)
        {
            var row = decodeRows[i];
            lengths[i] = Math.Min(row.Position + 1, window);
            slots.Fill(row, (int)(row.Position + 1 - lengths[i]), context.AsSpan(i * width, width));
        }
        if (lengths.All(length => length == width)) return new DecodeContext(lengths.Length, OnDevice(context), Mask: null);
        var isPadding = Arithmetic.Range(0, width, ScalarType.Int64, device).ge(OnDevice(lengths).view(-1, 1, 1, 1));
        return new DecodeContext(lengths.Length, OnDevice(context), ToMask(isPadding));
    }

    private ChunkContext BuildChunk(StepRow row, int firstToken, int window)
    {
        var start = Math.Max(0, row.Position + 1 - window);
        var end = row.Position + row.Tokens.Length;
        var context = new long[end - start];
        slots.Fill(row, start, context);
        var keys = Arithmetic.Range(start, end, ScalarType.Int64, device).view(1, 1, 1, -1);
        var queries = Arithmetic.Range(row.Position, end, ScalarType.Int64, device).view(1, 1, -1, 1);
        var lastUnseen = Arithmetic.Range(row.Position - (long)window, end - (long)window, ScalarType.Int64, device).view(1, 1, -1, 1);
        var isHidden = keys.gt(queries).logical_or(keys.le(lastUnseen));
        return new ChunkContext(firstToken, row.Tokens.Length, OnDevice(context), ToMask(isHidden));
    }

    private Tensor ToMask(Tensor isHidden) =>
        zeros(isHidden.shape, dtype: type, device: device).masked_fill_(isHidden, Arithmetic.NegativeInfinity);

    private Tensor OnDevice(long[] values) => tensor(values, dtype: ScalarType.Int64, device: device);
}
