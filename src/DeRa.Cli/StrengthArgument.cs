using System.Globalization;
using DeRa.Serving.Requests;

namespace DeRa.Cli;

/// <summary>
/// Reads the values of <c>--strength</c>: numbers, each a text of its own, or NAME=NUMBER for each aligned model, which are one text.
/// </summary>
internal static class StrengthArgument
{
    /// <summary>Makes a request for each strength.</summary>
    /// <returns>What each is called, and the request; at least one.</returns>
    /// <exception cref="FormatException">A value is neither, both are given, or a name comes twice.</exception>
    public static IReadOnlyList<(string Label, GenerationInput Input)> Spread(GenerationInput input, IReadOnlyList<string> values)
    {
        if (values.Count == 0) return [("", input)];
        var named = values.Where(value => value.Contains('=', StringComparison.Ordinal)).ToList();
        if (named.Count == values.Count) return [(string.Join(' ', values), input with { NamedStrengths = Named(values) })];
        if (named.Count > 0)
            throw new FormatException($"--strength is '{named[0]}' beside '{values.First(value => !named.Contains(value))}': numbers are "
                + "texts of their own, side by side, and NAME=NUMBER are parts of one; give one kind.");
        return [.. values.Select(value => ($"λ = {value}", input with { AlignmentStrength = Number(value, value) }))];
    }

    private static Dictionary<string, double> Named(IReadOnlyList<string> values)
    {
        var named = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            var equals = value.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw Bad(value);
            if (!named.TryAdd(value[..equals], Number(value[(equals + 1)..], value)))
                throw new FormatException($"--strength names '{value[..equals]}' twice.");
        }
        return named;
    }

    private static double Number(string text, string value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Bad(value);

    private static FormatException Bad(string value) => new(
        $"--strength is '{value}'; it must be one number, or NAME=NUMBER for each of several aligned models.");
}
