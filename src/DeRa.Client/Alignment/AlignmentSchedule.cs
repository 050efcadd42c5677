namespace DeRa.Client.Alignment;

/// <summary>Strengths of the first aligned model from token to token, in place of one alignment strength.</summary>
public abstract record AlignmentSchedule
{
    private protected AlignmentSchedule()
    {
    }

    /// <summary>Strengths that jump.</summary>
    /// <param name="points">Output tokens, counted from 0 and ascending, and the strength from each of them on: 1 to 64, the first at
    /// 0.</param>
    public static AlignmentSchedule Of(params IEnumerable<(int FromToken, double Strength)> points) => new PointSchedule([.. points]);

    /// <summary>A strength that goes from one value to another.</summary>
    /// <param name="start">The strength of the first output token, in the server's range; usually −1 to 10.</param>
    /// <param name="end">The strength of the token of number <paramref name="tokens"/> and of all after it, in the same range.</param>
    /// <param name="tokens">When <paramref name="end"/> is reached: at least 0.</param>
    /// <param name="shape">How it goes there.</param>
    public static AlignmentSchedule Ramp(double start, double end, int tokens, ScheduleShape shape = ScheduleShape.Linear) =>
        new RampSchedule(start, end, tokens, shape);
}

/// <summary>Strengths that jump.</summary>
/// <param name="Points">Output tokens, counted from 0 and ascending, and the strength from each of them on: 1 to 64, the first at
/// 0.</param>
public sealed record PointSchedule(IReadOnlyList<(int FromToken, double Strength)> Points) : AlignmentSchedule;

/// <summary>A strength that goes from one value to another.</summary>
/// <param name="Start">The strength of the first output token.</param>
/// <param name="End">The strength of the token of number <paramref name="Tokens"/> and of all after it.</param>
/// <param name="Tokens">At least 0.</param>
/// <param name="Shape">How it goes there.</param>
public sealed record RampSchedule(double Start, double End, int Tokens, ScheduleShape Shape) : AlignmentSchedule;

/// <summary>How a strength goes from one value to another.</summary>
public enum ScheduleShape
{
    /// <summary>By the same amount at each token.</summary>
    Linear,

    /// <summary>As half a wave of a cosine: slowly at both ends.</summary>
    Cosine,

    /// <summary>In one jump, at the end.</summary>
    Step,
}
