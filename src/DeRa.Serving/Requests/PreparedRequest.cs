using DeRa.Engine.Requests;

namespace DeRa.Serving.Requests;

/// <summary>A checked and encoded request: what the engine runs and what the response needs.</summary>
public sealed record PreparedRequest
{
    /// <summary>The name under which the client asked for the model, or the pair's.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// Each model's strength, in every choice; with a sweep in the choices of its first strength, with a schedule in the first token.
    /// </summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>Strengths that change from token to token, in every choice; null = no schedule.</summary>
    public StrengthSchedule? Schedule { get; init; }

    /// <summary>Strengths of the first aligned model, of which each has choices of its own; null = no sweep.</summary>
    public IReadOnlyList<double>? Sweep { get; init; }

    /// <summary>The effective seed: the client's, or the random one that was drawn.</summary>
    public required long Seed { get; init; }

    /// <summary>
    /// All choices: prompts in order, of each its strengths in order, of each the candidates in order.
    /// </summary>
    public required IReadOnlyList<PreparedChoice> Choices { get; init; }

    /// <summary>Choices that each prompt gives at each strength; at least <see cref="Returned"/>.</summary>
    public required int Candidates { get; init; }

    /// <summary>Choices that come back for each prompt and strength: the best where there are more candidates.</summary>
    public required int Returned { get; init; }

    /// <summary>Strengths of each prompt's choices.</summary>
    public int StrengthCount => Sweep?.Count ?? 1;

    /// <summary>Which strength of the sweep a choice has; null = no sweep.</summary>
    /// <param name="index">The choice's index in the response.</param>
    public double? SweptStrength(int index) => Sweep?[index / Returned % Sweep.Count];

    /// <summary>Alternatives that the client wants with each generated token; null = no log-probabilities.</summary>
    public required int? LogProbs { get; init; }

    /// <summary>Alternatives that the client wants with each token of a prompt; null = no log-probabilities of prompts.</summary>
    public required int? PromptLogProbs { get; init; }

    /// <summary>Tokens of all prompts, each counted once.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>The rewards that score its choices, by name.</summary>
    public IReadOnlyList<string> Rewards { get; init; } = [];

    /// <summary>The pair's KL strength β, by which implicit rewards of measures are multiplied; 1 where it is not known.</summary>
    public double Beta { get; init; } = 1;

    /// <summary>How long it may take from its arrival to its last token, waiting included; above 0; null = as long as it takes.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>The same request as a client's, which decides with whom it shares the engine and its cache.</summary>
    public PreparedRequest For(RequestClient client) => this with
    {
        Choices = [.. Choices.Select(choice => choice with
        {
            Request = choice.Request with { Client = client.Name, CacheSalt = client.Salt(choice.Request.CacheSalt) },
        })],
    };
}

/// <summary>One choice of a response.</summary>
public sealed record PreparedChoice
{
    /// <summary>Its place among <see cref="PreparedRequest.Choices"/>.</summary>
    public required int Index { get; init; }

    /// <summary>What the engine runs.</summary>
    public required GenerationRequest Request { get; init; }

    /// <summary>Strings that end the text.</summary>
    public required IReadOnlyList<string> StopStrings { get; init; }

    /// <summary>Stop tokens that the request names; the response says by which it ended.</summary>
    public IReadOnlySet<int> NamedStopTokens { get; init; } = new HashSet<int>();

    /// <summary>Whether the stop string or stop token that ended the text is part of it.</summary>
    public bool IncludesStop { get; init; }

    /// <summary>Whether special tokens add nothing to the text.</summary>
    public bool SkipsSpecialTokens { get; init; } = true;

    /// <summary>Whether the prompt's text comes back before the completion.</summary>
    public required bool Echo { get; init; }

    /// <summary>Alternatives that come with each token of an echoed prompt; null = no log-probabilities.</summary>
    public int? EchoLogProbs { get; init; }

    /// <summary>The field of the request that leaves the sequence's importance weight undefined; null = none does.</summary>
    public string? WeightFault { get; init; }

    /// <summary>False where the completion begins a text of its own (most replies in chats) instead of continuing its prompt.</summary>
    public required bool ContinuesPrompt { get; init; }
}
