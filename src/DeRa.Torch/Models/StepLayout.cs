namespace DeRa.Torch.Models;

/// <summary>The tokens of a step's rows, one row after the other: rows of few tokens first, then those of more.</summary>
internal sealed class StepLayout
{
    /// <summary>
    /// Tokens that a decode row has at most: the last decided one and the engine's three guesses. More would pad the other rows too far.
    /// </summary>
    public const int MaxDecodeTokens = 4;

    private readonly IReadOnlyList<ModelRow> _rows;
    private readonly int[] _firstTokens; // by the row's index
    private readonly int _blockTokens;

    /// <summary>Lays rows out.</summary>
    /// <param name="rows">In any order.</param>
    /// <param name="blockTokens">Tokens a cache block holds.</param>
    public StepLayout(IReadOnlyList<ModelRow> rows, int blockTokens)
    {
        (_rows, _blockTokens) = (rows, blockTokens);
        _firstTokens = new int[rows.Count];
        var count = 0;
        for (var i = 0; i < rows.Count; i++) count += rows[i].Tokens;
        (Tokens, Positions, Slots) = (new long[count], new long[count], new long[count]);
        (DecodeRows, ChunkRows) = (new List<ModelRow>(rows.Count), []);
        var next = Place(DecodeRows, isDecode: true, next: 0);
        Place(ChunkRows, isDecode: false, next);
    }

    /// <summary>The rows of up to <see cref="MaxDecodeTokens"/> tokens, whose tokens come first.</summary>
    public List<ModelRow> DecodeRows { get; }

    /// <summary>The rows of more tokens, whose tokens follow.</summary>
    public List<ModelRow> ChunkRows { get; }

    /// <summary>[tokens]: token ids.</summary>
    public long[] Tokens { get; }

    /// <summary>[tokens]: positions.</summary>
    public long[] Positions { get; }

    /// <summary>[tokens]: cache slots.</summary>
    public long[] Slots { get; }

    /// <summary>For each adapter up to the last that any row adds: the indices of the tokens that add it.</summary>
    public List<List<long>> AdapterTokens()
    {
        var tokens = new List<List<long>>();
        for (var i = 0; i < _rows.Count; i++)
        {
            if (_rows[i].Adapter is not { } adapter) continue;
            while (tokens.Count <= adapter) tokens.Add([]);
            for (var token = 0; token < _rows[i].Tokens; token++) tokens[adapter].Add(_firstTokens[i] + token);
        }
        return tokens;
    }

    /// <summary>Indices of the tokens after which logits are wanted, row after row in the order they were given.</summary>
    public long[] OutputIndices()
    {
        var count = 0;
        for (var i = 0; i < _rows.Count; i++) count += _rows[i].Row.OutputCount;
        var outputs = new long[count];
        var next = 0;
        for (var i = 0; i < _rows.Count; i++)
            for (var token = _rows[i].Tokens - _rows[i].Row.OutputCount; token < _rows[i].Tokens; token++)
                outputs[next++] = _firstTokens[i] + token;
        return outputs;
    }

    private int Place(List<ModelRow> placed, bool isDecode, int next)
    {
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            if (row.Tokens <= MaxDecodeTokens != isDecode) continue;
            placed.Add(row);
            _firstTokens[i] = next;
            row.Slots(_blockTokens).Fill(row.Row.Position, Slots.AsSpan(next, row.Tokens));
            var tokens = row.Row.Tokens.Span;
            for (var token = 0; token < tokens.Length; token++, next++)
                (Tokens[next], Positions[next]) = (tokens[token], row.Row.Position + token);
        }
        return next;
    }
}
