using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;

namespace DeRa.Torch.Models;

/// <summary>The tokens of a step's rows, one row after the other.</summary>
internal sealed class StepLayout
{
    private readonly Dictionary<StepRow, int> _firstTokens = new(ReferenceEqualityComparer.Instance);

    /// <summary>Lays the rows out in the order given.</summary>
    public StepLayout(IReadOnlyList<StepRow> rows, CacheSlots slots)
    {
        var count = rows.Sum(row => row.Tokens.Length);
        (Tokens, Positions, Slots) = (new long[count], new long[count], new long[count]);
        var next = 0;
        foreach (var row in rows)
        {
            _firstTokens[row] = next;
            slots.Fill(row, row.Position, Slots.AsSpan(next, row.Tokens.Length));
            for (var i = 0; i < row.Tokens.Length; i++, next++)
                (Tokens[next], Positions[next]) = (row.Tokens.Span[i], row.Position + i);
        }
    }

    /// <summary>[tokens]: token ids.</summary>
    public long[] Tokens { get; }

    /// <summary>[tokens]: positions.</summary>
    public long[] Positions { get; }

    /// <summary>[tokens]: cache slots.</summary>
    public long[] Slots { get; }

    /// <summary>For each adapter up to the last that any row adds: the indices of the tokens that add it.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="adapters">Which adapter each row adds, null = none; empty = none in any row.</param>
    public IReadOnlyList<long[]> AdapterTokens(IReadOnlyList<StepRow> rows, IReadOnlyList<int?> adapters)
    {
        var tokens = Enumerable.Range(0, 1 + adapters.Max() ?? 0).Select(_ => new List<long>()).ToList();
        for (var i = 0; i < adapters.Count; i++)
            if (adapters[i] is { } adapter)
                for (var token = 0; token < rows[i].Tokens.Length; token++) tokens[adapter].Add(_firstTokens[rows[i]] + token);
        return [.. tokens.Select(own => own.ToArray())];
    }

    /// <summary>Indices of the tokens after which logits are wanted, row after row in the order of <paramref name="rows"/>.</summary>
    public long[] OutputIndices(IReadOnlyList<StepRow> rows)
    {
        var outputs = new List<long>();
        foreach (var row in rows)
        {
            var first = _firstTokens[row];
            for (var i = 0; i < row.ScoredTokens.Length; i++) outputs.Add(first + i);
            if (ModelStep.SamplesApart(row)) outputs.Add(first + row.Tokens.Length - 1);
        }
        return [.. outputs];
    }
}
