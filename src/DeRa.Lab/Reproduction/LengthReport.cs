using System.Globalization;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Reports;
using DeRa.Serving.Statistics;

namespace DeRa.Lab.Reproduction;

/// <summary>
/// The length experiment's results over all seeds: a table, plots, and how well decoding predicts retraining.
/// </summary>
internal sealed class LengthReport(LengthSettings settings, IReadOnlyList<LengthResults> seeds)
{
    /// <summary>Writes <c>length.csv</c>, the plots as SVG and PNG, and prints the table and the summary.</summary>
    public void Write(string folder, TextWriter output)
    {
        var table = Table();
        File.WriteAllText(Path.Combine(folder, "length.csv"), table.ToCsv());
        Plot("reward", "mean reward", evaluation => evaluation.Reward, withClosedForm: true).Save(Path.Combine(folder, "reward"));
        Plot("length", "mean length, tokens", evaluation => evaluation.Tokens, withClosedForm: false)
            .Save(Path.Combine(folder, "length"));
        new StrengthPlot("Over-optimised pair: DPO with hard preferences", "mean reward",
            [Series("DeRa of the DPO pair", results => results.Dpo, evaluation => evaluation.Reward)]).Save(Path.Combine(folder, "dpo"));
        output.WriteLine();
        output.Write(table.ToText());
        foreach (var line in Summary()) output.WriteLine(line);
    }

    private ResultTable Table()
    {
        var table = new ResultTable(
            "strength", "DeRa", "retrained", "closed form", "interpolated", "DPO pair", "DeRa tokens", "retrained tokens");
        foreach (var strength in settings.Strengths)
            table.Add(
                strength, Reward(results => results.DeRa, strength), Reward(results => results.Retrained, strength),
                ClosedForm(strength), Reward(results => results.Interpolated, strength), Reward(results => results.Dpo, strength),
                Pooled(results => results.DeRa, strength, evaluation => evaluation.Tokens),
                Pooled(results => results.Retrained, strength, evaluation => evaluation.Tokens));
        return table;
    }

    /// <summary>Rank correlation and largest gaps of each seed, and where reward stops rising.</summary>
    private IEnumerable<string> Summary() =>
        seeds.Select((results, i) => string.Create(CultureInfo.InvariantCulture, $"run {i + 1}: {Agreement(results)}; {Peaks(results)}"));

    private string Agreement(LengthResults results)
    {
        var (deRa, retrained) = (Rewards(results.DeRa), Rewards(results.Retrained));
        var correlation = RankCorrelation.Spearman([.. deRa.Values], [.. retrained.Values]);
        return string.Create(CultureInfo.InvariantCulture, $"rank correlation of DeRa and retrained {correlation:F3}; ")
            + string.Create(CultureInfo.InvariantCulture, $"largest gap on [0, 1] {LargestGap(1):F3}, ")
            + string.Create(CultureInfo.InvariantCulture, $"at any strength {LargestGap(double.MaxValue):F3}");

        double LargestGap(double strongest) => settings.Strengths.Where(strength => strength <= strongest)
            .Max(strength => Math.Abs(deRa[strength] - retrained[strength]));
    }

    private static string Peaks(LengthResults results)
    {
        var (deRa, interpolated, dpo) = (Best(results.DeRa), Best(results.Interpolated), Best(results.Dpo));
        return string.Create(CultureInfo.InvariantCulture, $"best strength: DeRa {deRa}, interpolated {interpolated}, DPO pair {dpo}");
    }

    private static SortedDictionary<double, double> Rewards(SortedDictionary<double, StrengthEvaluation> curve) =>
        new(curve.ToDictionary(point => point.Key, point => point.Value.Reward.Estimate));

    private static double Best(SortedDictionary<double, StrengthEvaluation> curve) => Rewards(curve).MaxBy(point => point.Value).Key;

    private Interval Reward(Func<LengthResults, SortedDictionary<double, StrengthEvaluation>> curve, double strength) =>
        StrengthEvaluation.ByPrompt([.. seeds.SelectMany(results => curve(results)[strength].Rewards)], settings.EvaluationCompletions);

    /// <summary>The mean of the seeds' estimates, from the lowest bound of their intervals to the highest.</summary>
    private Interval Pooled(
        Func<LengthResults, SortedDictionary<double, StrengthEvaluation>> curve, double strength, Func<StrengthEvaluation, Interval> value)
    {
        var values = seeds.Select(results => value(curve(results)[strength])).ToArray();
        return new Interval(values.Average(v => v.Estimate), values.Min(v => v.Low), values.Max(v => v.High));
    }

    /// <summary>
    /// What a perfectly trained model at β/λ would get: with p the share in range of the SFT model, the optimum's share is
    /// p / (p + (1 − p)·exp(−λ/β)) (eq. 2 with a reward of 0 or −1). p is taken over all prompts of a seed, which differ little:
    /// of one prompt there are too few completions for a share this small.
    /// </summary>
    private double ClosedForm(double strength) => seeds.Average(results =>
    {
        var share = 1 + results.DeRa[0].Rewards.Average();
        return share / (share + (1 - share) * Math.Exp(-strength / settings.Beta)) - 1;
    });

    private StrengthPlot Plot(string name, string label, Func<StrengthEvaluation, Interval> value, bool withClosedForm)
    {
        List<PlotSeries> series =
        [
            Series("DeRa", results => results.DeRa, value), Series("retrained at β/λ", results => results.Retrained, value),
            Series("weights interpolated", results => results.Interpolated, value),
        ];
        if (withClosedForm)
        {
            var optimum = settings.Strengths.Select(strength => new PlotPoint(strength, Interval.Exact(ClosedForm(strength))));
            series.Add(new PlotSeries("optimum at β/λ", [.. optimum]));
        }
        return new StrengthPlot($"Length experiment: {name} against strength, {seeds.Count} seeds", label, series);
    }

    private PlotSeries Series(
        string name, Func<LengthResults, SortedDictionary<double, StrengthEvaluation>> curve, Func<StrengthEvaluation, Interval> value) =>
        new(name, [.. settings.Strengths.Select(strength => new PlotPoint(strength, Pooled(curve, strength, value)))]);
}
