using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>One answer of several.</summary>
public sealed record AlignedChoice
{
    /// <summary>Its place, from 0: strength by strength, and of each strength choice by choice.</summary>
    public required int Index { get; init; }

    /// <summary>Its text.</summary>
    public required string Text { get; init; }

    /// <summary>Why it ended.</summary>
    public required ChatFinishReason? FinishReason { get; init; }

    /// <summary>Its own strength, where a sweep asked for several; else null.</summary>
    public required double? AlignmentStrength { get; init; }

    /// <summary>Its measures; null where none were asked for.</summary>
    public required ChoiceMeasures? Measures { get; init; }

    /// <summary>What the rewards that were asked for score it, by name; null where one has no score for it.</summary>
    public required IReadOnlyDictionary<string, double?> Rewards { get; init; }
}
