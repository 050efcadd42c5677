namespace DeRa.Cli.Chat;

/// <summary>How answers are made.</summary>
internal sealed record ChatSettings
{
    /// <summary>λ; null = the server's or the model's default.</summary>
    public double? Strength { get; init; }

    /// <summary>The seed; null = a random one for each answer.</summary>
    public long? Seed { get; init; }

    /// <summary>What the conversation begins with; null = nothing.</summary>
    public string? System { get; init; }

    /// <summary>Tokens of an answer at most; null = what the context leaves.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The temperature; null = the default.</summary>
    public double? Temperature { get; init; }
}
