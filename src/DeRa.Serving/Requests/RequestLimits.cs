namespace DeRa.Serving.Requests;

/// <summary>What a request may ask for. Every bound is inclusive and checked at the door, with one test each.</summary>
public sealed record RequestLimits
{
    /// <summary>Lowest alignment strength; finite, at most 0. Default −1.</summary>
    public double MinStrength { get; init; } = -1;

    /// <summary>Highest alignment strength; finite, at least 1. Default 10.</summary>
    public double MaxStrength { get; init; } = 10;

    /// <summary>Prompts in one request; at least 1. Default 64.</summary>
    public int MaxPrompts { get; init; } = 64;

    /// <summary>Choices a prompt (<c>n</c>); at least 1. Default 128.</summary>
    public int MaxChoices { get; init; } = 128;

    /// <summary>Stop strings; at least 0. Default 16.</summary>
    public int MaxStopStrings { get; init; } = 16;

    /// <summary>Length of a stop string in UTF-8 bytes; at least 1. Default 256.</summary>
    public int MaxStopStringBytes { get; init; } = 256;

    /// <summary>Entries of <c>logit_bias</c>; at least 0. Default 1024.</summary>
    public int MaxLogitBiasEntries { get; init; } = 1024;

    /// <summary>Entries of <c>allowed_token_ids</c>; at least 1. Default 1024.</summary>
    public int MaxAllowedTokens { get; init; } = 1024;

    /// <summary>Entries of <c>stop_token_ids</c>; at least 0. Default 128.</summary>
    public int MaxStopTokens { get; init; } = 128;

    /// <summary>Entries of <c>bad_words</c>, each as long as a stop string may be; at least 0. Default 128.</summary>
    public int MaxBadWords { get; init; } = 128;

    /// <summary>Candidates for each prompt (<c>best_of</c>); at least 1. Default 20.</summary>
    public int MaxBestOf { get; init; } = 20;

    /// <summary>Alternatives reported with a token; at least 0. Default 20.</summary>
    public int MaxLogProbs { get; init; } = 20;

    /// <summary>How long a request may take, waiting included; above 0; null = as long as it takes. Default null.</summary>
    public TimeSpan? MaxDuration { get; init; }
}
