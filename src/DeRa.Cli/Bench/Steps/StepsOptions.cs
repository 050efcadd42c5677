namespace DeRa.Cli.Bench.Steps;

/// <summary>What is measured of a pair. Immutable.</summary>
internal sealed record StepsOptions
{
    /// <summary>Numbers of sequences that decode at once.</summary>
    public required IReadOnlyList<int> Batches { get; init; }

    /// <summary>Tokens of the prompts from which they decode.</summary>
    public required IReadOnlyList<int> Contexts { get; init; }

    /// <summary>Tokens of the prompt that is read, and of the text that is scored; at least 2.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens that each sequence decodes in each round; at least 2.</summary>
    public required int Tokens { get; init; }

    /// <summary>How often each figure is taken; the median is reported.</summary>
    public required int Rounds { get; init; }

    /// <summary>The strength λ of the pair.</summary>
    public required double Strength { get; init; }

    /// <summary>The most sequences at once.</summary>
    public int MaxBatch => Batches.Max();

    /// <summary>Tokens of the longest sequence.</summary>
    public int MostTokens => Math.Max(PromptTokens, Contexts.Max() + Tokens);
}
