using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Completions of a few prompts side by side at five strengths; words that the one before does not have are marked.</summary>
internal static class SampleSection
{
    private const int MostPrompts = 6, Columns = 5;

    /// <summary>Writes it.</summary>
    public static string Html(SweepSummary summary)
    {
        var (results, html) = (summary.Results, new MarkupLines());
        html.Add($"<h2>Completions</h2>").Add($"<p>The first of each prompt, with the same draws at every strength.")
            .Add($"Marked: words that the one before does not have there.</p>");
        var places = EvenPlaces.Of(results.Strengths.Count, Columns, summary.Recommendation.Place);
        for (var prompt = 0; prompt < Math.Min(MostPrompts, results.PromptCount); prompt++)
        {
            html.Add($"<h3>{ReportText.Escaped(results.Row(prompt, 0, 0).Prompt)}</h3>").Add($"<div class=\"samples\">");
            SweepRow? before = null;
            foreach (var place in places)
            {
                var row = results.Row(prompt, place, 0);
                html.Add($"<div><h4>λ = {ReportText.Number(row.Strength)}</h4><p class=\"scores\">{Scores(results, row)}</p>")
                    .Add($"<p>{Highlighted(before ?? row, row)}</p></div>");
                before = row;
            }
            html.Add($"</div>");
        }
        return html.ToString();
    }

    private static string Highlighted(SweepRow before, SweepRow row) => string.Join(' ',
        WordDifference.Of(before.Completion, row.Completion).Select(run => (run.IsNew, Text: ReportText.Escaped(run.Words)))
            .Select(run => run.IsNew ? $"<mark>{run.Text}</mark>" : run.Text));

    private static string Scores(SweepResults results, SweepRow row) => string.Join(", ", results.Rewards.Zip(row.Rewards,
        (name, score) => $"{ReportText.Escaped(name)} {(score is { } number ? ReportText.Number(number) : "–")}")
        .Append($"{row.Tokens} tokens"));
}
