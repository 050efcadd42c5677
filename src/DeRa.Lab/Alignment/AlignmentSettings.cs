namespace DeRa.Lab.Alignment;

/// <summary>How completions are gathered for an alignment step.</summary>
internal sealed record AlignmentSettings
{
    /// <summary>Prompts of a step; at least 1.</summary>
    public required int Prompts { get; init; }

    /// <summary>Completions of each prompt; at least 2.</summary>
    public required int Completions { get; init; }

    /// <summary>Longest completion in tokens, its end token included; at least 1.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Whether the reference draws the completions (DPO, BRAIn) rather than the model in training.</summary>
    public required bool FromReference { get; init; }

    /// <summary>Decides prompts and draws.</summary>
    public required long Seed { get; init; }
}
