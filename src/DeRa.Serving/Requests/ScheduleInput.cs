namespace DeRa.Serving.Requests;

/// <summary><c>alignment_schedule</c> as its transport read it: nothing checked, null = not set. It has one of two forms.</summary>
public sealed record ScheduleInput
{
    /// <summary>Where what follows stands in the request, for errors.</summary>
    public string Field { get; init; } = RealignmentFields.Schedule.Name;

    /// <summary>Strengths from output tokens on, in the order in which they stand; null = it has the other form.</summary>
    public IReadOnlyList<SchedulePointInput>? Points { get; init; }

    /// <summary><c>start</c>: the first token's strength.</summary>
    public double? Start { get; init; }

    /// <summary><c>end</c>: the strength after <see cref="Tokens"/> tokens.</summary>
    public double? End { get; init; }

    /// <summary><c>tokens</c>: after how many the end is reached.</summary>
    public int? Tokens { get; init; }

    /// <summary><c>shape</c>: one of <see cref="RealignmentFields.Shapes"/>; null = the first.</summary>
    public string? Shape { get; init; }

    /// <summary>Checks how many points there are, which transports do before they turn them into anything.</summary>
    /// <param name="field">The field that holds them, for errors.</param>
    /// <param name="count">How many there are.</param>
    /// <exception cref="InvalidRequestException">None, or more than <see cref="RealignmentFields.MaxPoints"/>.</exception>
    public static void CheckCount(string field, int count)
    {
        if (count == 0)
            throw new InvalidRequestException(field, $"'{field}' holds no strength; it must hold 1 to {RealignmentFields.MaxPoints}.");
        FieldCount.Check(field, count, RealignmentFields.MaxPoints, "strengths");
    }
}

/// <summary>A strength from an output token on.</summary>
/// <param name="FromToken">The first output token at it.</param>
/// <param name="Strength">λ of the first aligned model.</param>
/// <param name="TokenField">Where the token stands in the request, for errors.</param>
/// <param name="StrengthField">Where the strength does.</param>
public sealed record SchedulePointInput(int FromToken, double Strength, string TokenField, string StrengthField);
