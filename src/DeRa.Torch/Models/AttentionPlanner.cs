using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Builds what a step's attention reads: block tables for <see cref="CpuKernels"/>, else index tensors and masks.</summary>
/// <param name="layout">The step's rows.</param>
/// <param name="blockTokens">Tokens a cache block holds.</param>
/// <param name="device">Where the tensors go.</param>
/// <param name="type">Element type of the masks: the model's.</param>
internal sealed class AttentionPlanner(StepLayout layout, int blockTokens, Device device, ScalarType type)
{
    private DecodePlanner? _decodePlanner;

    /// <summary>What each token may attend to in layers with that window.</summary>
    /// <param name="window">The current token and those before it; at least 1.</param>
    /// <returns>Tensors owned by the caller's scope.</returns>
    public AttentionPlan Build(int window)
    {
        if (CpuKernels.Supports(device, type))
            return new AttentionPlan(Decode: null, []) { Cpu = new CpuPlan(layout.CpuContexts, window) };
        var decode = layout.DecodeRows.Count > 0
            ? (_decodePlanner ??= new DecodePlanner(layout.DecodeRows, blockTokens, device, type)).Build(window)
            : null;
        var chunks = new List<ChunkContext>(layout.ChunkRows.Count);
        var firstToken = decode?.Tokens ?? 0;
        foreach (var row in layout.ChunkRows)
        {
            chunks.Add(BuildChunk(row, firstToken, window));
            firstToken += row.Tokens;
        }
        return new AttentionPlan(decode, chunks);
    }

    private ChunkContext BuildChunk(ModelRow row, int firstToken, int window)
    {
        var (position, end) = (row.Row.Position, row.End);
        var start = Math.Max(0, position + 1 - window);
        var context = new long[end - start];
        row.Slots(blockTokens).Fill(start, context.AsSpan());
        var keys = Arithmetic.Range(start, end, ScalarType.Int64, device).view(1, 1, 1, -1);
        var queries = Arithmetic.Range(position, end, ScalarType.Int64, device).view(1, 1, -1, 1);
        return new ChunkContext(firstToken, row.Tokens, OnDevice(context), AttentionMask.Build(keys, queries, window, type));
    }

    private Tensor OnDevice(long[] values) => tensor(values, dtype: ScalarType.Int64, device: device);
}
