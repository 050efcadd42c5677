using System.Globalization;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>
/// Looks for the strength at which the first reward is highest: successive halving of the distance between strengths, on paired
/// differences. It begins with few prompts and strengths far apart. A strength that is surely worse than the best runs no further. When all
/// that is left lies beside the best, its neighbours at half the distance join; else the prompts are doubled. Strengths that join run
/// on the prompts before them too, with the same draws, so that all comparisons are of the same prompts.
/// </summary>
/// <param name="settings">The strengths among which it looks, rising; at least <see cref="MinStrengths"/>.</param>
/// <param name="prompts">How many prompts there are.</param>
public sealed class AutoPlan(SweepSettings settings, int prompts) : ISweepPlan
{
    /// <summary>Fewer are run as fast one by one.</summary>
    public const int MinStrengths = 9;

    private const int FewestPrompts = 8, FirstShare = 8, CoarseShare = 3, FewestCoarse = 4, SurePrompts = 20;

    private readonly PromptScores _scores = new(settings.Strengths);
    private readonly int[] _ran = new int[settings.Strengths.Count];
    private readonly List<Standing> _standings = [];
    private List<int> _active = [];
    private int _stride, _prompts, _rounds, _rowsRead;

    /// <summary>All rounds so far.</summary>
    public IReadOnlyList<Standing> Standings => _standings;

    /// <summary>Whether every strength further than a step from the best is surely worse.</summary>
    public bool IsSure { get; private set; }

    /// <summary>Prompts on which all strengths that are left have run.</summary>
    public int PromptsUsed => _prompts;

    /// <inheritdoc/>
    /// <remarks>It is called once for each round, in order.</remarks>
    public SweepRound? Next(IReadOnlyList<SweepRow> rows)
    {
        _scores.Add(rows.Skip(_rowsRead));
        _rowsRead = rows.Count;
        if (_rounds == 0)
        {
            _stride = FirstStride();
            _active = [.. Enumerable.Range(0, _ran.Length).Where(place => place % _stride == 0 || place == _ran.Length - 1
                || place == Baseline)];
            return Round(Math.Min(prompts, Math.Max(FewestPrompts, prompts / FirstShare)));
        }
        while (Decide() is { } until)
            if (Round(until) is { Units.Count: > 0 } round) return round;
        return null;
    }

    /// <inheritdoc/>
    public SweepResults Results(IReadOnlyList<SweepRow> rows, IReadOnlyList<string> rewards)
    {
        double[] strengths = [.. _active.Select(place => settings.Strengths[place])];
        return new SweepResults(strengths, settings.Samples, rewards, [.. rows
            .Where(row => row.PromptIndex < _prompts && strengths.Contains(row.Strength))
            .OrderBy(row => row.PromptIndex).ThenBy(row => row.Strength).ThenBy(row => row.Sample)])
        {
            AreDrawnByMixture = settings.AreDrawnByMixture,
        };
    }

    /// <summary>The aligned model itself stays to the end: what the best is better than.</summary>
    private int Baseline => Enumerable.Range(0, settings.Strengths.Count).MinBy(place => Math.Abs(settings.Strengths[place] - 1));

    /// <returns>The prompts that the strengths which are left run on next; null = the search has ended.</returns>
    private int? Decide()
    {
        var standings = Stand();
        _standings.AddRange(standings);
        var best = _active[standings.FindIndex(one => one.IsBest)];
        var open = _active.Where((_, i) => !standings[i].IsWorse).ToList();
        _active = [.. _active.Where(place => open.Contains(place) || place == Baseline || Math.Abs(place - best) <= _stride)];
        if (Join(best)) return _prompts;
        var (isNear, isLast) = (open.TrueForAll(place => Math.Abs(place - best) <= _stride), _prompts == prompts);
        if (_stride == 1 && isNear && (isLast || _prompts >= SurePrompts)) IsSure = true;
        if (_stride == 1 && (IsSure || isLast)) return null;
        if (_stride == 1 || !isNear && !isLast) return Math.Min(prompts, 2 * _prompts);
        _stride /= 2;
        Join(best);
        return _prompts;
    }

    /// <summary>The best one's neighbours join, where they are missing.</summary>
    private bool Join(int best)
    {
        int[] missing = [.. ((int[])[best - _stride, best + _stride])
            .Where(place => place >= 0 && place < _ran.Length && !_active.Contains(place))];
        _active = [.. _active.Concat(missing).Order()];
        return missing.Length > 0;
    }

    private List<Standing> Stand()
    {
        var common = _scores.Common(_prompts);
        var means = _active.Select(place => _scores.Mean(place, common)).ToList();
        var best = means.IndexOf(means.Max());
        return [.. _active.Select((place, i) => new Standing(_rounds, common.Count, settings.Strengths[place], means[i],
            _scores.Difference(place, _active[best], common), i == best))];
    }

    private SweepRound Round(int until)
    {
        var units = Enumerable.Range(0, until)
            .Select(prompt => new SweepUnit(prompt, [.. _active.Where(place => _ran[place] <= prompt)
                .Select(place => settings.Strengths[place])]))
            .Where(unit => unit.Strengths.Count > 0).ToList();
        foreach (var place in _active) _ran[place] = Math.Max(_ran[place], until);
        (_prompts, _rounds) = (until, _rounds + 1);
        var strengths = string.Join(", ", _active.Select(place => settings.Strengths[place].ToString("R", CultureInfo.InvariantCulture)));
        return new SweepRound(units, $"Round {_rounds}, {until} of {prompts} prompts at λ = {strengths}");
    }

    /// <summary>The least power of two that leaves at most a third of the strengths.</summary>
    private int FirstStride()
    {
        var (stride, last) = (1, _ran.Length - 1);
        while ((last + stride - 1) / stride + 1 > Math.Max(FewestCoarse, _ran.Length / CoarseShare)) stride *= 2;
        return stride;
    }
}
