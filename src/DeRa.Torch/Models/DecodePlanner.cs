using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Models;

/// <summary>Builds what a step's rows of few tokens may attend to: one padded batch, so that a layer attends them in one call.</summary>
/// <param name="rows">At least one row.</param>
/// <param name="blockTokens">Tokens a cache block holds.</param>
/// <param name="device">Where the tensors go.</param>
/// <param name="type">Element type of the mask: the model's.</param>
internal sealed class DecodePlanner(List<ModelRow> rows, int blockTokens, Device device, ScalarType type)
{
    /// <summary>
    /// Contexts that need a mask are padded to a multiple of this: they grow with every token, and what libtorch keeps for each shape
    /// (an attention backend's plan, the allocator's blocks) then serves many steps.
    /// </summary>
    private const int WidthStep = 64;

    private readonly int _queries = MostTokens(rows);

    /// <summary>What each token may attend to in layers with that window.</summary>
    /// <param name="window">The current token and those before it; at least 1.</param>
    /// <returns>Tensors owned by the caller's scope.</returns>
    public DecodeContext Build(int window)
    {
        var starts = new long[rows.Count];
        var (tokens, shortest, longest) = (0, int.MaxValue, 0);
        for (var i = 0; i < starts.Length; i++)
        {
            var start = Math.Max(0, rows[i].Row.Position + 1 - window);
            (starts[i], tokens) = (start, tokens + rows[i].Tokens);
            (shortest, longest) = (Math.Min(shortest, rows[i].End - start), Math.Max(longest, rows[i].End - start));
        }
        var needsMask = _queries > 1 || shortest < longest;
        var width = needsMask ? (longest + WidthStep - 1) / WidthStep * WidthStep : longest;
        return new DecodeContext(
            rows.Count,
            tokens,
            Slots(starts, width),
            needsMask ? Mask(starts, width, window) : null,
            tokens < rows.Count * _queries ? Padding(tokens) : null);
    }

    private Tensor Slots(long[] starts, int width)
    {
        var slots = new long[rows.Count * width];
        for (var i = 0; i < starts.Length; i++)
        {
            var own = slots.AsSpan(i * width, width);
            var length = rows[i].End - (int)starts[i];
            rows[i].Slots(blockTokens).Fill((int)starts[i], own[..length]);
            own[length..].Fill(own[length - 1]);
        }
        return OnDevice(slots);
    }

    /// <summary>Keys past a row's end lie after its last query, so that no query sees them.</summary>
    private Tensor Mask(long[] starts, int width, int window)
    {
        var positions = new long[rows.Count * _queries];
        for (var i = 0; i < positions.Length; i++)
        {
            var row = rows[i / _queries];
            positions[i] = row.Row.Position + Math.Min(i % _queries, row.Tokens - 1);
        }
        var keys = OnDevice(starts).view(-1, 1, 1, 1).Plus(Arithmetic.Range(0, width, ScalarType.Int64, device));
        return AttentionMask.Build(keys, OnDevice(positions).view(rows.Count, 1, _queries, 1), window, type);
    }

    private QueryPadding Padding(int tokens)
    {
        var (queries, places) = (new long[rows.Count * _queries], new long[tokens]);
        var first = 0;
        for (var i = 0; i < rows.Count; first += rows[i++].Tokens)
            for (var query = 0; query < _queries; query++)
            {
                var token = first + Math.Min(query, rows[i].Tokens - 1);
                queries[i * _queries + query] = token;
                if (query < rows[i].Tokens) places[token] = i * _queries + query;
            }
        return new QueryPadding(OnDevice(queries), OnDevice(places));
    }

    private static int MostTokens(List<ModelRow> rows)
    {
        var most = 0;
        for (var i = 0; i < rows.Count; i++) most = Math.Max(most, rows[i].Tokens);
        return most;
    }

    private Tensor OnDevice(long[] values) => tensor(values, dtype: ScalarType.Int64, device: device);
}
