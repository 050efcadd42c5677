using System.Globalization;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;

namespace DeRa.Cli.Score;

/// <summary>
/// Reads the values of <c>--strengths</c>: numbers and ranges FROM:TO:STEP with commas between them, or NAME=NUMBER with commas, which are
/// one strength of several aligned models.
/// </summary>
internal static class StrengthList
{
    private const string Option = "--strengths";

    /// <summary>Reads them, in their order.</summary>
    /// <exception cref="FormatException">A value is neither, a name comes twice, or there are too many.</exception>
    public static IReadOnlyList<SweepStrength> Parse(IReadOnlyList<string> values)
    {
        var strengths = new List<SweepStrength>();
        foreach (var value in values)
        {
            if (value.Contains('=', StringComparison.Ordinal)) strengths.Add(new SweepStrength(null, Named(value), Option));
            else strengths.AddRange(value.Split(',').SelectMany(Numbers).Select(one => new SweepStrength(one, null, Option)));
            if (strengths.Count > RealignmentFields.MaxScoredStrengths) throw TooMany();
        }
        return strengths;
    }

    /// <summary>A strength as text without commas: a number, or NAME=NUMBER with semicolons.</summary>
    public static string Label(SweepStrength strength) => strength.Named is { } named
        ? string.Join(';', named.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Value:R}")))
        : strength.First!.Value.ToString("R", CultureInfo.InvariantCulture);

    private static IEnumerable<double> Numbers(string part)
    {
        var bounds = part.Split(':');
        if (bounds.Length == 1) return [Number(part, part)];
        if (bounds.Length != 3) throw Bad(part);
        // Decimals: the third of 0:3:0.1 is 0.2 and not 0.1 + 0.1 as binary fractions add up.
        var (from, to, step) = (Decimal(bounds[0], part), Decimal(bounds[1], part), Decimal(bounds[2], part));
        if (step <= 0 || to < from)
            throw new FormatException($"{Option} holds '{part}'; in FROM:TO:STEP the step must be above 0 and TO not below FROM.");
        if ((to - from) / step >= RealignmentFields.MaxScoredStrengths) throw TooMany();
        return Enumerable.Range(0, (int)((to - from) / step) + 1).Select(i => (double)(from + i * step));
    }

    private static Dictionary<string, double> Named(string value)
    {
        var named = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var part in value.Split(','))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw Bad(part);
            if (!named.TryAdd(part[..equals], Number(part[(equals + 1)..], part)))
                throw new FormatException($"{Option} names '{part[..equals]}' twice in '{value}'.");
        }
        return named;
    }

    private static double Number(string text, string part) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Bad(part);

    private static decimal Decimal(string text, string part) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Bad(part);

    private static FormatException Bad(string part) => new(
        $"{Option} holds '{part}'; it must be numbers and ranges FROM:TO:STEP with commas between them, such as 0:3:0.1, or NAME=NUMBER of "
        + "aligned models with commas between them.");

    private static FormatException TooMany() => new(
        $"{Option} has more than {RealignmentFields.MaxScoredStrengths} strengths; from 1 to as many are allowed.");
}
