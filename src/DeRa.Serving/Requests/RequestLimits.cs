using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeRa.Serving.Requests;

/// <summary>
/// What a request may ask for. Every bound is inclusive and checked by <see cref="RequestValidator"/>, with one test each.
/// </summary>
public sealed record RequestLimits
{
    /// <summary>Lowest alignment strength.</summary>
    [Description("Lowest alignment strength that a request may ask for."), Range(-1000.0, 0.0)]
    public double MinStrength { get; init; } = -1;

    /// <summary>Highest alignment strength.</summary>
    [Description("Highest alignment strength that a request may ask for."), Range(1.0, 1000.0)]
    public double MaxStrength { get; init; } = 10;

    /// <summary>Prompts in one request.</summary>
    [Description("Prompts in a request."), Range(1, 4096)]
    public int MaxPrompts { get; init; } = 64;

    /// <summary>Choices a prompt (<c>n</c>).</summary>
    [Description("Choices for each prompt (n)."), Range(1, 4096)]
    public int MaxChoices { get; init; } = 128;

    /// <summary>Stop strings.</summary>
    [Description("Stop strings in a request."), Range(0, 1024)]
    public int MaxStopStrings { get; init; } = 16;

    /// <summary>Length of a stop string in UTF-8 bytes.</summary>
    [Description("Length of a stop string, in UTF-8 bytes."), Range(1, 65536)]
    public int MaxStopStringBytes { get; init; } = 256;

    /// <summary>Entries of <c>logit_bias</c>.</summary>
    [Description("Entries of logit_bias."), Range(0, 1 << 20)]
    public int MaxLogitBiasEntries { get; init; } = 1024;

    /// <summary>Entries of <c>allowed_token_ids</c>.</summary>
    [Description("Entries of allowed_token_ids."), Range(1, 1 << 20)]
    public int MaxAllowedTokens { get; init; } = 1024;

    /// <summary>Entries of <c>stop_token_ids</c>.</summary>
    [Description("Entries of stop_token_ids."), Range(0, 65536)]
    public int MaxStopTokens { get; init; } = 128;

    /// <summary>Entries of <c>bad_words</c>, each as long as a stop string may be.</summary>
    [Description("Entries of bad_words, each as long as a stop string may be."), Range(0, 65536)]
    public int MaxBadWords { get; init; } = 128;

    /// <summary>Candidates for each prompt (<c>best_of</c>).</summary>
    [Description("Candidates for each prompt (best_of)."), Range(1, 4096)]
    public int MaxBestOf { get; init; } = 20;

    /// <summary>Alternatives reported with a token.</summary>
    [Description("Alternatives reported with each token (logprobs, top_logprobs, prompt_logprobs)."), Range(0, 1024)]
    public int MaxLogprobs { get; init; } = 20;

    /// <summary>How long a request may take, waiting included; above 0; null = as long as it takes. Default null.</summary>
    public TimeSpan? MaxDuration { get; init; }
}
