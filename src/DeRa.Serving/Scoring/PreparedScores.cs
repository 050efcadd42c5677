using DeRa.Engine.Requests;
using DeRa.Serving.Requests;

namespace DeRa.Serving.Scoring;

/// <summary>A request to score that is checked and encoded.</summary>
/// <param name="Sweep">What was asked for, in its order.</param>
/// <param name="Strengths">The mixture of each.</param>
/// <param name="Items">What the engine runs for each item.</param>
public sealed record PreparedScores(
    IReadOnlyList<SweepStrength> Sweep, IReadOnlyList<AlignmentStrengths> Strengths, IReadOnlyList<GenerationRequest> Items)
{
    /// <summary>The name under which the pair was asked for.</summary>
    public required string Model { get; init; }

    /// <summary>How long it may take, waiting included; null = as long as it takes.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Tokens of all items, prompts and continuations.</summary>
    public int TokenCount => Items.Sum(item => item.PromptTokens.Count);

    /// <summary>Tokens of all items that are scored.</summary>
    public int ScoredTokenCount => Items.Sum(item => item.PromptTokens.Count - item.Scoring!.FirstToken);

    /// <summary>Scored tokens times strengths.</summary>
    public long ScoreCount => (long)ScoredTokenCount * Strengths.Count;

    /// <summary>The same request as a client's, which decides with whom it shares the engine and its cache.</summary>
    public PreparedScores For(RequestClient client) => this with
    {
        Items = [.. Items.Select(item => item with { Client = client.Name, CacheSalt = client.Salt(item.CacheSalt) })],
    };
}
