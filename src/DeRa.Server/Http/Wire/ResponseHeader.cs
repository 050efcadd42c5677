using DeRa.Engine.Requests;
using DeRa.Server.Responses;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http.Wire;

/// <summary>What every object of a response repeats, and the prompts that it responds to.</summary>
/// <param name="Id">The response's id.</param>
/// <param name="Created">When it was begun, in seconds since 1970.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Strengths">
/// The effective strengths, with a schedule those of the first token; null with a sweep, where each choice has its own.
/// </param>
/// <param name="Seed">The effective seed: sent back with the same request, it gives the same response.</param>
/// <param name="Prompts">The prompt's tokens of each choice that comes back.</param>
internal sealed record ResponseHeader(
    string Id, long Created, string Model, EffectiveStrengths? Strengths, long Seed, IReadOnlyList<IReadOnlyList<int>> Prompts)
{
    /// <summary>The names of the aligned models.</summary>
    public IReadOnlyList<string> Aligned { get; init; } = [];

    /// <summary>By what implicit rewards are multiplied.</summary>
    public double Beta { get; init; } = 1;

    /// <summary>Strengths that change from token to token; null where there is no schedule.</summary>
    public StrengthSchedule? Schedule { get; init; }

    /// <summary>The strength of a choice by its index; null where there is no sweep.</summary>
    public Func<int, double?> SweptStrength { get; init; } = _ => null;
}

/// <summary>Tokens that a response took.</summary>
/// <param name="PromptTokens">Tokens of the prompts, each prompt counted once.</param>
/// <param name="CachedTokens">Those of them that no model had to run; 0 while the prompts are read.</param>
/// <param name="CompletionTokens">Tokens generated in all choices.</param>
internal readonly record struct Usage(int PromptTokens, int CachedTokens, int CompletionTokens)
{
    /// <summary>What a generation has taken so far.</summary>
    public static Usage Of(Generation generation) =>
        new(generation.Request.PromptTokens, generation.CachedTokens, generation.CompletionTokens);
}
