using System.Globalization;

namespace DeRa.Cli.Bench.Serve;

/// <summary>Bounds that a good request meets, all of them, in milliseconds; null = none.</summary>
/// <param name="Ttft">Time to the first token.</param>
/// <param name="Tpot">Time per token after it.</param>
/// <param name="E2el">From end to end.</param>
internal sealed record Goodput(double? Ttft, double? Tpot, double? E2el)
{
    /// <summary>Reads <c>ttft:500,tpot:50</c>.</summary>
    /// <exception cref="FormatException">A part is no bound.</exception>
    public static Goodput Parse(string text)
    {
        var goodput = new Goodput(null, null, null);
        foreach (var part in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = part.Split(':');
            if (parts.Length != 2 || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var bound)
                || !(bound > 0))
                throw Bad(part);
            goodput = parts[0] switch
            {
                "ttft" => goodput with { Ttft = bound },
                "tpot" => goodput with { Tpot = bound },
                "e2el" => goodput with { E2el = bound },
                _ => throw Bad(part),
            };
        }
        return goodput == new Goodput(null, null, null) ? throw Bad(text) : goodput;
    }

    /// <summary>Whether a request has ended and met all.</summary>
    public bool IsMetBy(ServeRequest request) => request is { Failure: null, FirstTokenSeconds: { } first, Seconds: { } whole }
        && 1e3 * first <= (Ttft ?? double.PositiveInfinity)
        && 1e3 * (request.SecondsPerToken ?? 0) <= (Tpot ?? double.PositiveInfinity)
        && 1e3 * whole <= (E2el ?? double.PositiveInfinity);

    private static FormatException Bad(string part) => new(
        $"--goodput holds '{part}'; it must be ttft, tpot or e2el, a colon and milliseconds above 0, as in ttft:500,tpot:50.");
}
