using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>What a sweep says: curves of rewards, distances from the reference model, and the strength to take.</summary>
public sealed class SweepSummary
{
    /// <param name="results">The sweep's rows, at least one prompt's.</param>
    /// <param name="beta">The β that the aligned model was trained at; null = unknown.</param>
    /// <exception cref="RewardException">A reward has no score at some strength for every prompt.</exception>
    public SweepSummary(SweepResults results, double? beta)
    {
        (Results, Beta) = (results, beta);
        Figures = [.. Enumerable.Range(0, results.Strengths.Count).Select(strength => StrengthFigures.Of(results, strength))];
        Curves = [.. Enumerable.Range(0, results.Rewards.Count).Select(reward => new RewardCurve(results, reward))];
        Wins = new WinRates(results, 0);
        Warnings = [.. SweepWarnings.Of(this)];
    }

    /// <summary>The rows.</summary>
    public SweepResults Results { get; }

    /// <summary>The β that the aligned model was trained at; null = unknown.</summary>
    public double? Beta { get; }

    /// <summary>One a strength.</summary>
    public IReadOnlyList<StrengthFigures> Figures { get; }

    /// <summary>One a reward; the first is the one that is optimised.</summary>
    public IReadOnlyList<RewardCurve> Curves { get; }

    /// <summary>Where the first reward is highest.</summary>
    public Recommendation Recommendation => Curves[0].Recommendation;

    /// <summary>How often the first reward is higher at one strength than at another.</summary>
    public WinRates Wins { get; }

    /// <summary>
    /// The places with which every strength is compared: λ = 0 where it is swept, the baseline and the best; each once, rising.
    /// </summary>
    public IReadOnlyList<int> Opponents => [.. new int?[] { Results.Reference, Results.Baseline, Recommendation.Place }
        .OfType<int>().Distinct().Order()];

    /// <summary>What makes the recommendation doubtful, in whole sentences.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The places of strengths of which no other has a higher first reward at no greater distance, nearest first.</summary>
    public IReadOnlyList<int> ParetoFront
    {
        get
        {
            var (front, best) = (new List<int>(), double.NegativeInfinity);
            foreach (var place in Enumerable.Range(0, Figures.Count)
                .OrderBy(place => Figures[place].Distance).ThenByDescending(place => Curves[0].Means[place].Estimate))
            {
                if (Curves[0].Means[place].Estimate <= best) continue;
                best = Curves[0].Means[place].Estimate;
                front.Add(place);
            }
            return front;
        }
    }

    /// <summary>The fit of a reward over distances; null without strength 0, or with too few others.</summary>
    /// <param name="curve">The reward.</param>
    public KlFit? Fit(RewardCurve curve) => Results.Reference is not { } reference ? null
        : KlFit.Of(Figures.Select((figures, place) =>
            (figures.Distance, curve.Means[place].Estimate - curve.Means[reference].Estimate)));

    /// <summary>
    /// Best-of-n among the reference model's completions, n = 1, 2, 4, … to the number of samples: the distance √(ln n − (n − 1)/n), which
    /// bounds its √KL, and the expected first reward. Empty without strength 0.
    /// </summary>
    public IReadOnlyList<(int N, double Distance, double Reward)> BestOfN
    {
        get
        {
            var points = new List<(int, double, double)>();
            if (Results.Reference is { } reference)
                for (var n = 1; n <= Results.Samples; n *= 2)
                    points.Add((n, Math.Sqrt(Math.Max(0, Math.Log(n) - (n - 1.0) / n)), Curves[0].BestOf(reference, n)));
            return points;
        }
    }
}
