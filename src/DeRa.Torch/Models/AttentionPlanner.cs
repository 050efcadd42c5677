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
    private CpuContext[]? _cpuContexts;

    /// <summary>What each token may attend to in layers with that window.</summary>
    /// <param name="window">The current token and those before it; at least 1.</param>
    /// <returns>Tensors owned by the caller's scope.</returns>
    public AttentionPlan Build(int window)
    {
        if (CpuKernels.Supports(device, type))
            return new AttentionPlan(Decode: null, []) { Cpu = new CpuPlan(_cpuContexts ??= BuildCpu(), window) };
        var chunks = new List<ChunkContext>(layout.ChunkRows.Count);
        var firstToken = layout.DecodeRows.Count;
        foreach (var row in layout.ChunkRows)
        {
            chunks.Add(BuildChunk(row, firstToken, window));
            firstToken += row.Tokens;
        }
        return new AttentionPlan(layout.DecodeRows.Count > 0 ? BuildDecode(layout.DecodeRows, window) : null, chunks);
    }

    private CpuContext[] BuildCpu()
    {
        var contexts = new CpuContext[layout.DecodeRows.Count + layout.ChunkRows.Count];
        var (next, firstToken) = (0, 0);
        foreach (var row in layout.DecodeRows) Add(row);
        foreach (var row in layout.ChunkRows) Add(row);
        return contexts;

        void Add(ModelRow row)
        {
            contexts[next++] = new CpuContext(firstToken, row.Tokens, row.Row.Position, row.Slots(blockTokens));
            firstToken += row.Tokens;
        }
    }

    private DecodeContext BuildDecode(List<ModelRow> rows, int window)
    {
        var lengths = new long[rows.Count];
        var (width, isPadded) = (0, false);
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Math.Min(rows[i].End, window);
            width = Math.Max(width, (int)lengths[i]);
            isPadded |= lengths[i] != lengths[0];
        }
        var context = new long[rows.Count * width];
        for (var i = 0; i < lengths.Length; i++)
        {
            var length = (int)lengths[i];
            var own = context.AsSpan(i * width, width);
            rows[i].Slots(blockTokens).Fill(rows[i].End - length, own[..length]);
            own[length..].Fill(own[length - 1]);
        }
        if (!isPadded) return new DecodeContext(lengths.Length, OnDevice(context), Mask: null);
        var isPadding = Arithmetic.Range(0, width, ScalarType.Int64, device).ge(OnDevice(lengths).view(-1, 1, 1, 1));
        return new DecodeContext(lengths.Length, OnDevice(context), ToMask(isPadding));
    }

    private ChunkContext BuildChunk(ModelRow row, int firstToken, int window)
    {
        var (position, end) = (row.Row.Position, row.End);
        var start = Math.Max(0, position + 1 - window);
        var context = new long[end - start];
        row.Slots(blockTokens).Fill(start, context.AsSpan());
        var keys = Arithmetic.Range(start, end, ScalarType.Int64, device).view(1, 1, 1, -1);
        var queries = Arithmetic.Range(position, end, ScalarType.Int64, device).view(1, 1, -1, 1);
        var lastUnseen = Arithmetic.Range(position - (long)window, end - (long)window, ScalarType.Int64, device).view(1, 1, -1, 1);
        var isHidden = keys.gt(queries).logical_or(keys.le(lastUnseen));
        return new ChunkContext(firstToken, row.Tokens, OnDevice(context), ToMask(isHidden));
    }

    private Tensor ToMask(Tensor isHidden) =>
        zeros(isHidden.shape, dtype: type, device: device).masked_fill_(isHidden, Arithmetic.NegativeInfinity);

    private Tensor OnDevice(long[] values) => tensor(values, dtype: ScalarType.Int64, device: device);
}
