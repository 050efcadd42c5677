namespace DeRa.Client.Alignment;

/// <summary>How texts are scored.</summary>
public sealed record ScoreOptions
{
    /// <summary>One of the server's models; null = the pair.</summary>
    public string? Model { get; init; }

    /// <summary>Whether each token is told.</summary>
    public bool PerToken { get; init; }

    /// <summary>What was computed of a prompt is shared with requests of this salt only: 1 to 1024 UTF-8 bytes; null = no salt.</summary>
    public string? CacheSalt { get; init; }
}
