namespace DeRa.Engine.Requests;

/// <summary>A checked and encoded request: what the engine runs and what the answer needs.</summary>
public sealed record PreparedRequest
{
    /// <summary>The name under which the client asked for the model, or the pair's.</summary>
    public required string Model { get; init; }

    /// <summary>How much each model weighs, in every choice.</summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>The seed in force: the client's, or the random one that was drawn.</summary>
    public required long Seed { get; init; }

    /// <summary>All choices, prompts in order, each with its n choices in order: index = promptIndex · n + choiceIndex.</summary>
    public required IReadOnlyList<PreparedChoice> Choices { get; init; }

    /// <summary>Tokens of all prompts, each counted once.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>How long it may take from submission to its last token, waiting included; above 0; null = as long as it takes.</summary>
    public TimeSpan? Deadline { get; init; }
}

/// <summary>One choice of an answer.</summary>
public sealed record PreparedChoice
{
    /// <summary>promptIndex · n + choiceIndex.</summary>
    public required int Index { get; init; }

    /// <summary>What the engine runs.</summary>
    public required GenerationRequest Request { get; init; }

    /// <summary>Strings that end the text; none is part of it.</summary>
    public required IReadOnlyList<string> StopStrings { get; init; }

    /// <summary>Whether the prompt's text comes back before the completion.</summary>
    public required bool Echo { get; init; }

    /// <summary>False where the completion begins a text of its own (a chat answer) instead of continuing its prompt.</summary>
    public required bool ContinuesPrompt { get; init; }
}
