using System.Globalization;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>What makes the recommendation of a sweep doubtful.</summary>
internal static class SweepWarnings
{
    private const int FewPrompts = 20;
    private const double MostUnfinished = .5;

    /// <summary>Of the way from one effective sample to as many as there are.</summary>
    private const double LeastEffective = .5;

    /// <summary>Finds it.</summary>
    /// <returns>Whole sentences.</returns>
    public static IEnumerable<string> Of(SweepSummary summary)
    {
        var (results, best, proxy) = (summary.Results, summary.Recommendation, summary.Curves[0]);
        var strength = Text(best.Strength.Estimate);
        if (best.IsAtEdge)
            yield return $"The reward is highest at λ = {strength}, an edge of the strengths that were tried: the best may lie beyond.";
        if (results.PromptCount < FewPrompts)
            yield return $"There are only {results.PromptCount} prompts: intervals over so few are too narrow.";
        foreach (var curve in summary.Curves.Where(curve => curve.Failed > 0))
            yield return $"{curve.Failed} completions have no score of {curve.Name}; prompts without one at a strength are left out.";
        if (1 - summary.Figures[best.Place].Finished is > MostUnfinished and var unfinished)
            yield return $"At λ = {strength}, {Text(Math.Round(100 * unfinished))} % of the completions ran into the limit of tokens.";
        if (best.Strength.Estimate > 1 && summary.Figures[best.Place].Effective.Own.Estimate is var size
            && (size - 1) / (results.Samples - 1) < LeastEffective)
            yield return $"λ = {strength} lies beyond the model that training gave, and the effective sample size does not support it: the "
                + $"{results.Samples} completions of a prompt count as {Text(Math.Round(size, 1))}, and say little of a model trained at "
                + "β/λ.";
        foreach (var gold in summary.Curves.Skip(1).Where(gold => gold.Recommendation.Strength.High < best.Strength.Estimate))
            yield return $"Over-optimisation: {gold.Name} is highest at λ = {Text(gold.Recommendation.Strength.Estimate)}, and where "
                + $"{proxy.Name} is highest, at λ = {strength}, it has fallen from {Text(gold.Means[gold.Recommendation.Place].Estimate)} "
                + $"to {Text(gold.Means[best.Place].Estimate)}.";
    }

    private static string Text(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
