using System.Runtime.InteropServices;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Models;

/// <summary>
/// The tokens of a step's rows, one row after the other: rows of few tokens first, then those of more. Its memory is used again for
/// the rows that are laid out next.
/// </summary>
internal sealed class StepLayout
{
    /// <summary>
    /// Tokens that a decode row has at most: the last decided one and the engine's three guesses. More would pad the other rows too far.
    /// </summary>
    public const int MaxDecodeTokens = 4;

    private readonly List<ModelRow> _rows = [];
    private readonly List<int> _firstTokens = []; // by the row's index
    private readonly List<long> _tokens = [], _positions = [], _slots = [], _outputs = [];
    private readonly List<List<long>> _adapterTokens = [];

    /// <summary>The rows of up to <see cref="MaxDecodeTokens"/> tokens, whose tokens come first.</summary>
    public List<ModelRow> DecodeRows { get; } = [];

    /// <summary>The rows of more tokens, whose tokens follow.</summary>
    public List<ModelRow> ChunkRows { get; } = [];

    /// <summary>Every row's context, in the order of their tokens.</summary>
    public List<CpuContext> CpuContexts { get; } = [];

    /// <summary>[tokens]: token ids.</summary>
    public ReadOnlySpan<long> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>[tokens]: positions.</summary>
    public ReadOnlySpan<long> Positions => CollectionsMarshal.AsSpan(_positions);

    /// <summary>[tokens]: cache slots.</summary>
    public ReadOnlySpan<long> Slots => CollectionsMarshal.AsSpan(_slots);

    /// <summary>[outputs]: the tokens after which logits are wanted, row after row in the order they were given.</summary>
    public ReadOnlySpan<long> Outputs => CollectionsMarshal.AsSpan(_outputs);

    /// <summary>Adapters up to the last that any row adds.</summary>
    public int AdapterCount { get; private set; }

    /// <summary>Lays rows out, in the place of those before.</summary>
    /// <param name="rows">In any order.</param>
    /// <param name="blockTokens">Tokens a cache block holds.</param>
    public void Lay(IReadOnlyList<ModelRow> rows, int blockTokens)
    {
        _rows.Clear();
        _rows.AddRange(rows);
        CollectionsMarshal.SetCount(_firstTokens, rows.Count);
        DecodeRows.Clear();
        ChunkRows.Clear();
        CpuContexts.Clear();
        _tokens.Clear();
        _positions.Clear();
        _slots.Clear();
        Place(DecodeRows, isDecode: true, blockTokens);
        Place(ChunkRows, isDecode: false, blockTokens);
        FindOutputs();
        FindAdapterTokens();
    }

    /// <summary>The indices of the tokens that add an adapter.</summary>
    public ReadOnlySpan<long> AdapterTokens(int adapter) => CollectionsMarshal.AsSpan(_adapterTokens[adapter]);

    private void Place(List<ModelRow> placed, bool isDecode, int blockTokens)
    {
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            if (row.Tokens <= MaxDecodeTokens != isDecode) continue;
            placed.Add(row);
            var first = _firstTokens[i] = _tokens.Count;
            CollectionsMarshal.SetCount(_slots, first + row.Tokens);
            row.Slots(blockTokens).Fill(row.Row.Position, CollectionsMarshal.AsSpan(_slots)[first..]);
            CpuContexts.Add(new CpuContext(first, row.Tokens, row.Row.Position, row.Slots(blockTokens)));
            var tokens = row.Row.Tokens.Span;
            for (var token = 0; token < tokens.Length; token++)
            {
                _tokens.Add(tokens[token]);
                _positions.Add(row.Row.Position + token);
            }
        }
    }

    private void FindOutputs()
    {
        _outputs.Clear();
        for (var i = 0; i < _rows.Count; i++)
            for (var token = _rows[i].Tokens - _rows[i].Row.OutputCount; token < _rows[i].Tokens; token++)
                _outputs.Add(_firstTokens[i] + token);
    }

    private void FindAdapterTokens()
    {
        AdapterCount = 0;
        foreach (var tokens in _adapterTokens) tokens.Clear();
        for (var i = 0; i < _rows.Count; i++)
        {
            if (_rows[i].Adapter is not { } adapter) continue;
            AdapterCount = Math.Max(AdapterCount, adapter + 1);
            while (_adapterTokens.Count <= adapter) _adapterTokens.Add([]);
            for (var token = 0; token < _rows[i].Tokens; token++) _adapterTokens[adapter].Add(_firstTokens[i] + token);
        }
    }
}
