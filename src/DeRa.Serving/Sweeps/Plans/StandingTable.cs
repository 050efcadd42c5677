using System.Globalization;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>The rounds of a search as comma-separated values, one line for each strength of each round.</summary>
public static class StandingTable
{
    /// <summary>All of them.</summary>
    public static string ToCsv(IEnumerable<Standing> standings) =>
        "round,prompts,alignment_strength,mean,above_best,above_best_low,above_best_high,standing\n"
        + string.Concat(standings.Select(one => string.Create(CultureInfo.InvariantCulture,
            $"{one.Round},{one.Prompts},{one.Strength:R},{Cell(one.Mean)},{Cell(one.Difference.Estimate)},{Cell(one.Difference.Low)},"
            + $"{Cell(one.Difference.High)},{(one.IsBest ? "best" : one.IsWorse ? "worse" : "possible")}\n")));

    private static string Cell(double number) => double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "";
}
