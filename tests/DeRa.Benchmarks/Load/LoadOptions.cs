namespace DeRa.Benchmarks.Load;

/// <summary>What a load asks of a server. Immutable.</summary>
internal sealed record LoadOptions
{
    /// <summary>The server's address, without a path.</summary>
    public required Uri Server { get; init; }

    /// <summary>Clients at once, each with one connection and one request at a time.</summary>
    public required int Clients { get; init; }

    /// <summary>User turns of a conversation.</summary>
    public required int Turns { get; init; }

    /// <summary><c>max_tokens</c> of each request; 0 = not sent.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>One for each conversation, in turn; empty = <c>alignment_strength</c> is not sent.</summary>
    public required IReadOnlyList<double> Strengths { get; init; }

    /// <summary>Words of the system prompt that all conversations share; 0 = none.</summary>
    public required int SystemWords { get; init; }

    /// <summary><c>model</c> of each request; null = not sent.</summary>
    public string? Model { get; init; }

    /// <summary>When requests under way are cut off and no more begin; null = all <see cref="Conversations"/> are held.</summary>
    public int? Seconds { get; init; }

    /// <summary>How many conversations are held; null = as many as <see cref="Seconds"/> leave time for.</summary>
    public int? Conversations { get; init; }
}
