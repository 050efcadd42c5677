using System.Globalization;

namespace DeRa.Serving.Requests;

/// <summary>The numbers that a field takes, and the check of one; the error names the field, the value and the range.</summary>
/// <param name="Low">The least.</param>
/// <param name="High">The greatest.</param>
public sealed record NumberRange(double Low, double High) : ValueForm
{
    private const string Bounds = "…";

    /// <summary>Whether only whole numbers are in it.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Whether <see cref="Low"/> itself is outside.</summary>
    public bool ExcludesLow { get; init; }

    /// <summary>
    /// Whether <see cref="High"/> is not checked: no number of the type is above it, or the prompt, checked with it, leaves less.
    /// </summary>
    public bool IsOpen { get; init; }

    /// <summary>A number that is taken beside, and means something of its own; null = none.</summary>
    public double? Special { get; init; }

    /// <summary>How errors name the range with <see cref="Special"/>: <c>…</c> stands for the bounds.</summary>
    public string Wording { get; init; } = Bounds;

    /// <summary>Whole numbers.</summary>
    /// <param name="low">The least.</param>
    /// <param name="high">The greatest.</param>
    public static NumberRange Whole(int low, int high) => new(low, high) { IsWhole = true };

    /// <inheritdoc/>
    public override string? WholeNumbers => !IsWhole ? null
        : Special is { } special ? $"{Text(special)} or {WholeBounds}" : WholeBounds;

    /// <summary>The number, where it is in the range.</summary>
    /// <param name="field">The field, for errors.</param>
    /// <param name="value">Its value.</param>
    /// <param name="what">What the value is, where the field alone does not say.</param>
    /// <exception cref="InvalidRequestException">It is not.</exception>
    public double Check(string field, double value, string? what = null) => Contains(value) ? value
        : throw new InvalidRequestException(field, $"{what ?? $"'{field}'"} is {Text(value)}; it must be {Allowed}.");

    /// <inheritdoc cref="Check(string, double, string?)"/>
    public int Check(string field, int value, string? what = null) => (int)Check(field, (double)value, what);

    private string WholeBounds => $"a whole number from {Text(Low)} to {Text(High)}";

    private string Allowed => Wording.Replace(Bounds, IsOpen ? $"at least {Text(Low)}"
        : ExcludesLow ? $"above {Text(Low)} and at most {Text(High)}"
        : $"between {Text(Low)} and {Text(High)}", StringComparison.Ordinal);

    private bool Contains(double value) =>
        value == Special || ((ExcludesLow ? value > Low : value >= Low) && (IsOpen ? !double.IsNaN(value) : value <= High));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
