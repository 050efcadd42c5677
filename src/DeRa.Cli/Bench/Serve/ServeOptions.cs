namespace DeRa.Cli.Bench.Serve;

/// <summary>What one measurement asks of a server. Immutable.</summary>
internal sealed record ServeOptions
{
    /// <summary>Clients at once, each with one connection and one request at a time; null where <see cref="Rate"/> decides.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Requests that arrive in a second, whatever became of earlier ones; null where clients wait for each reply.</summary>
    public double? Rate { get; init; }

    /// <summary>Seeds the times at which they arrive.</summary>
    public int Seed { get; init; }

    /// <summary>User turns of a conversation; 1 = requests by themselves.</summary>
    public int Turns { get; init; } = 1;

    /// <summary>Words of the system prompt that all conversations share; 0 = none.</summary>
    public int SystemWords { get; init; }

    /// <summary>Words of what a user writes in a turn, at least 1; those of <see cref="SharedWords"/> among them.</summary>
    public required int PromptWords { get; init; }

    /// <summary>Words with which the first turn of every conversation begins.</summary>
    public int SharedWords { get; init; }

    /// <summary><c>max_tokens</c> of each request; 0 = not sent.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Whether <c>ignore_eos</c> is sent.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>One for each conversation, in turn; empty = <c>alignment_strength</c> is not sent.</summary>
    public IReadOnlyList<double> Strengths { get; init; } = [];

    /// <summary>When requests under way are interrupted and no more begin; null = all <see cref="Requests"/> are made.</summary>
    public int? Seconds { get; init; }

    /// <summary>
    /// How many requests are made, rounded up to whole conversations; null = as many as <see cref="Seconds"/> leave time for.
    /// </summary>
    public int? Requests { get; init; }

    /// <summary>What a good request meets; null = nothing is asked.</summary>
    public Goodput? Goodput { get; init; }

    /// <summary>How many conversations are held; null = no bound.</summary>
    public int? Conversations => (Requests + Turns - 1) / Turns;

    /// <summary>What it is called in reports.</summary>
    public string Name => Rate is { } rate ? FormattableString.Invariant($"rate {rate}/s") : $"concurrency {Concurrency}";
}
