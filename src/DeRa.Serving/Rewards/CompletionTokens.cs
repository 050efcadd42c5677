namespace DeRa.Serving.Rewards;

/// <summary>A completion as the engine ran it.</summary>
/// <param name="Prompt">The prompt's token ids, at least one.</param>
/// <param name="Generated">The ids after it, an end token included.</param>
public sealed record CompletionTokens(IReadOnlyList<int> Prompt, IReadOnlyList<int> Generated)
{
    /// <summary>Whose request it is, with whom it shares the engine.</summary>
    public string? Client { get; init; }

    /// <summary>What the prefix cache keeps it apart by; null is one too.</summary>
    public string? CacheSalt { get; init; }
}
