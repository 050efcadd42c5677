using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>How often each strength wins against others: a table whose cells are coloured by the share.</summary>
internal static class WinSection
{
    private const int MostColumns = 9;

    /// <summary>How much of the full colour the highest share has, in percent: text stays legible.</summary>
    private const double StrongestColour = 60;

    /// <summary>Writes it; nothing with one strength.</summary>
    public static string Html(SweepSummary summary)
    {
        var strengths = summary.Results.Strengths;
        if (strengths.Count < 2) return "";
        var columns = EvenPlaces.Of(strengths.Count, MostColumns, summary.Opponents);
        var name = ReportText.Escaped(summary.Curves[0].Name);
        var html = new MarkupLines().Add($"<h2>Win rates</h2>")
            .Add($"<p>In how many of 100 completions {name} is higher at the strength of the row than at that of the column, with the same")
            .Add($"prompt and draws; ties count half. Below, the 95 % interval of a bootstrap over prompts.</p>")
            .Add($"<div class=\"scroll\"><table class=\"wins\">")
            .Add($"<thead><tr><th>λ</th>{string.Concat(columns.Select(place => $"<th>{ReportText.Number(strengths[place])}</th>"))}</tr>")
            .Add($"</thead><tbody>");
        foreach (var (place, strength) in strengths.Index())
        {
            var style = place == summary.Recommendation.Place ? " class=\"chosen\"" : "";
            var cells = columns.Select(column => place == column ? "<td></td>" : Cell(summary.Wins.Of(place, column)));
            html.Add($"<tr{style}><th>{ReportText.Number(strength)}</th>").Add($"{string.Concat(cells)}</tr>");
        }
        return html.Add($"</tbody></table></div>").ToString();
    }

    private static string Cell(Interval share)
    {
        if (double.IsNaN(share.Estimate)) return "<td>–</td>";
        var (side, colour) = (share.Estimate < .5 ? "lost" : "won", StrongestColour * Math.Abs(2 * share.Estimate - 1));
        var (estimate, low, high) = (100 * share.Estimate, 100 * share.Low, 100 * share.High);
        return FormattableString.Invariant(
            $"<td class=\"{side}\" style=\"--by:{colour:F0}%\">{estimate:F0}<small>{low:F0}–{high:F0}</small></td>");
    }
}
