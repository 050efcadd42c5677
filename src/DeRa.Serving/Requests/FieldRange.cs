using System.Globalization;

namespace DeRa.Serving.Requests;

/// <summary>Checks one number of a request; the error names the field, the value and the range.</summary>
internal static class FieldRange
{
    public static double Between(string field, double value, double low, double high, string? what = null) =>
        value >= low && value <= high ? value : throw Bad(field, value, $"between {Text(low)} and {Text(high)}", what);

    public static double AboveUpTo(string field, double value, double low, double high) =>
        value > low && value <= high ? value : throw Bad(field, value, $"above {Text(low)} and at most {Text(high)}");

    public static int Between(string field, int value, int low, int high) =>
        value >= low && value <= high ? value : throw Bad(field, value, $"between {low} and {high}");

    public static int AtLeast(string field, int value, int low, string? otherwise = null) =>
        value >= low ? value : throw Bad(field, value, otherwise is null ? $"at least {low}" : $"at least {low}, {otherwise}");

    public static double Temperature(double value) =>
        value == 0 || (value >= 0.01 && value <= 2) ? value : throw Bad("temperature", value, "0 (greedy) or between 0.01 and 2");

    public static int Count(string field, int count, int high, string what) => count <= high ? count
        : throw new InvalidRequestException(field, $"'{field}' has {count} {what}; at most {high} are allowed.");

    /// <param name="field">The field at fault.</param>
    /// <param name="value">Its value.</param>
    /// <param name="allowed">The range.</param>
    /// <param name="what">What the value is, where the field alone does not say.</param>
    private static InvalidRequestException Bad(string field, double value, string allowed, string? what = null) =>
        new(field, $"{what ?? $"'{field}'"} is {Text(value)}; it must be {allowed}.");

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
