namespace DeRa.Server.Http.Wire;

/// <summary>How a request wants its response.</summary>
internal sealed record ResponseOptions
{
    /// <summary><c>stream</c>.</summary>
    public required bool Stream { get; init; }

    /// <summary><c>stream_options.include_usage</c>.</summary>
    public required bool IncludeUsage { get; init; }

    /// <summary><c>stream_options.continuous_usage_stats</c>: every chunk says what the request took so far.</summary>
    public bool ContinuousUsage { get; init; }

    /// <summary><c>return_tokens_as_token_ids</c>: log-probabilities name tokens by their ids.</summary>
    public bool TokensAsIds { get; init; }

    /// <summary><c>return_token_ids</c>.</summary>
    public required bool TokenIds { get; init; }

    /// <summary><c>prompt_logprobs</c>; null = not asked for.</summary>
    public int? PromptLogProbs { get; init; }

    /// <summary>Whether measures were asked for.</summary>
    public bool Measures { get; init; }

    /// <summary>Whether log-probabilities were asked for.</summary>
    public required bool LogProbs { get; init; }
}
