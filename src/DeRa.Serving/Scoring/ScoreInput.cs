using DeRa.Serving.Requests;

namespace DeRa.Serving.Scoring;

/// <summary>A request to score texts at many strengths, as its transport read it: nothing checked, null = not set.</summary>
public sealed record ScoreInput
{
    /// <summary><c>items</c>: what is scored.</summary>
    public required IReadOnlyList<ScoreItem> Items { get; init; }

    /// <summary><c>model</c>: one of <see cref="ServedNames"/>; null and empty = the pair.</summary>
    public string? Model { get; init; }

    /// <summary><c>alignment_sweep</c>: strengths of the first aligned model, or of several by name.</summary>
    public required IReadOnlyList<SweepStrength> Sweep { get; init; }

    /// <summary><c>cache_salt</c>.</summary>
    public string? CacheSalt { get; init; }

    /// <summary><c>timeout</c>: seconds that the request may take, waiting included.</summary>
    public double? TimeoutSeconds { get; init; }
}

/// <summary>A continuation of a prompt; or, in a conversation, the answer that is its last message.</summary>
/// <param name="Prompt">What is given.</param>
/// <param name="Continuation">A text or tokens after it; null for a conversation.</param>
/// <param name="Field">Its place in the request, for errors.</param>
public sealed record ScoreItem(PromptInput Prompt, PromptInput? Continuation, string Field);

/// <summary>One of the strengths: a number, or a number for each aligned model that is named.</summary>
/// <param name="First">λ of the first aligned model; null where <paramref name="Named"/> is set.</param>
/// <param name="Named">Aligned model → λ; null where <paramref name="First"/> is set.</param>
/// <param name="Field">Its place in the request, for errors.</param>
public readonly record struct SweepStrength(double? First, IReadOnlyDictionary<string, double>? Named, string Field);
