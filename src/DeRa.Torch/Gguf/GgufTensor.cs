namespace DeRa.Torch.Gguf;

/// <summary>A tensor of a GGUF file and where its elements come from.</summary>
internal sealed record GgufTensor
{
    /// <summary>Its name in the file, such as <c>blk.0.attn_q.weight</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Row-major, as in the checkpoint; the file's header lists it from the innermost dimension.</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>Type of its elements in the file.</summary>
    public required GgufElementType Type { get; init; }

    /// <summary>The checkpoint's tensor; null where <see cref="Values"/> are given.</summary>
    public string? Stored { get; init; }

    /// <summary>Elements that no checkpoint stores.</summary>
    public float[]? Values { get; init; }

    /// <summary>Whether the checkpoint stores it as [columns, rows].</summary>
    public bool IsTransposed { get; init; }

    /// <summary>Which stored row becomes a row of the file; null = the same. Rows of a vector are its elements.</summary>
    public Func<long, long>? StoredRow { get; init; }

    /// <summary>Added to each element.</summary>
    public float Offset { get; init; }

    /// <summary>Rows: the first dimension, or 1 for a vector whose order stays.</summary>
    public long Rows => Shape.Count == 1 && StoredRow is null ? 1 : Shape[0];

    /// <summary>Elements of a row.</summary>
    public long Columns => ElementCount / Rows;

    /// <summary>How many elements it has.</summary>
    public long ElementCount => Shape.Aggregate(1L, (count, size) => count * size);

    /// <summary>How many bytes it takes in the file, without padding.</summary>
    public long LengthBytes => ElementCount * Type.SizeBytes();
}
