using System.Globalization;
using DeRa.Lab.Reports;
using DeRa.Serving.Statistics;

namespace DeRa.Lab.Evaluation;

/// <summary>What came out at each strength, as a table and as a plot.</summary>
/// <param name="reward">The reward's name.</param>
/// <param name="gold">The independent measure; null = none was asked for.</param>
internal sealed class EvaluationReport(string reward, GoldMeasure? gold)
{
    /// <summary>Curves share an axis unless that would leave one of them less than this share of its height.</summary>
    private const double LeastShareOfAxis = .3;
    private const double Tail = .025;

    private readonly SortedDictionary<double, StrengthEvaluation> _evaluations = [];
    private readonly SortedDictionary<double, GoldScores[]> _gold = [];

    /// <summary>Adds what came out at a strength; all strengths have the same prompts.</summary>
    public void Add(double strength, StrengthEvaluation evaluation)
    {
        _evaluations[strength] = evaluation;
        if (gold is not null) _gold[strength] = [.. evaluation.Completions.Select(gold.Of)];
    }

    /// <summary>
    /// A row a strength: means with their intervals, and in what share of resamples of the prompts it has the highest gold.
    /// </summary>
    public ResultTable Table()
    {
        if (gold is null)
        {
            var plain = new ResultTable("strength", "reward", "tokens");
            foreach (var (strength, evaluation) in _evaluations) plain.Add(strength, evaluation.Reward, evaluation.Tokens);
            return plain;
        }
        var table = new ResultTable("strength", "reward", "tokens", "gold", "vader", "malformed", "repeated", "gold_highest");
        foreach (var ((strength, evaluation), share) in _evaluations.Zip(HighestShares()))
            table.Add(strength, evaluation.Reward, evaluation.Tokens, Mean(strength, scores => scores.Gold),
                Mean(strength, scores => scores.Vader), Mean(strength, scores => scores.Malformed),
                Mean(strength, scores => scores.Repeated), share);
        return table;
    }

    /// <summary>The strength with the highest gold, with its 95 % interval over prompts; null where there is no gold.</summary>
    public Interval? GoldPeak()
    {
        if (gold is null) return null;
        var strengths = _gold.Keys.ToArray();
        var cumulated = 0.0;
        double[] upTo = [.. HighestShares().Select(share => cumulated += share)];
        return new Interval(strengths.MaxBy(strength => Mean(strength, scores => scores.Gold).Estimate),
            strengths[Array.FindIndex(upTo, share => share > Tail)], strengths[Array.FindIndex(upTo, share => share >= 1 - Tail)]);
    }

    /// <summary>Reward, and gold where there is one, against strength.</summary>
    public StrengthPlot Plot()
    {
        var any = _evaluations.Values.First();
        var prompts = any.Rewards.Count / any.CompletionsPerPrompt;
        var label = string.Create(CultureInfo.InvariantCulture, $"mean reward, {prompts} prompts");
        PlotSeries rewards = new(gold is null ? "DeRa" : $"reward: {reward}",
            [.. _evaluations.Select(entry => new PlotPoint(entry.Key, entry.Value.Reward))]);
        if (gold is null) return new StrengthPlot($"Reward of {reward} against strength", label, [rewards]);
        PlotSeries golds = new("gold (independent)",
            [.. _gold.Keys.Select(strength => new PlotPoint(strength, Mean(strength, scores => scores.Gold)))]);
        const string title = "Reward and gold against strength";
        return FitOneAxis(rewards, golds)
            ? new StrengthPlot(title, string.Create(CultureInfo.InvariantCulture, $"mean, {prompts} prompts"), [rewards, golds])
            : new StrengthPlot(title, label, [rewards]) { Below = new StrengthPlot("", "mean gold", [golds]) };
    }

    private double[] HighestShares() => Bootstrap.HighestShares([.. _gold.Select(entry =>
        entry.Value.Chunk(_evaluations[entry.Key].CompletionsPerPrompt).Select(group => group.Average(scores => scores.Gold)).ToArray())]);

    private Interval Mean(double strength, Func<GoldScores, double> value) =>
        StrengthEvaluation.ByPrompt([.. _gold[strength].Select(value)], _evaluations[strength].CompletionsPerPrompt);

    private static bool FitOneAxis(PlotSeries first, PlotSeries second)
    {
        var least = Math.Min(Height(first.Points), Height(second.Points));
        return least >= LeastShareOfAxis * Height([.. first.Points, .. second.Points]);
    }

    private static double Height(IReadOnlyList<PlotPoint> points) =>
        points.Max(point => point.Value.High) - points.Min(point => point.Value.Low);
}
