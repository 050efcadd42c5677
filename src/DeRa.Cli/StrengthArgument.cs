using System.Globalization;
using DeRa.Engine.Requests;

namespace DeRa.Cli;

/// <summary>Reads the values of <c>--strength</c>: one number, or NAME=NUMBER for each aligned model.</summary>
internal static class StrengthArgument
{
    /// <summary>Adds the strengths to a request.</summary>
    /// <exception cref="FormatException">A value is neither, or a name comes twice.</exception>
    public static GenerationInput AddTo(GenerationInput input, IReadOnlyList<string> values)
    {
        if (values.Count == 0) return input;
        if (values.Count == 1 && !values[0].Contains('=', StringComparison.Ordinal))
            return input with { AlignmentStrength = Number(values[0], values[0]) };
        var named = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            var equals = value.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw Bad(value);
            if (!named.TryAdd(value[..equals], Number(value[(equals + 1)..], value)))
                throw new FormatException($"--strength names '{value[..equals]}' twice.");
        }
        return input with { NamedStrengths = named };
    }

    private static double Number(string text, string value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Bad(value);

    private static FormatException Bad(string value) => new(
        $"--strength is '{value}'; it must be one number, or NAME=NUMBER for each of several aligned models.");
}
