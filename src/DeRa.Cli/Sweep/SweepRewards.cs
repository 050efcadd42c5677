using DeRa.Serving;
using DeRa.Serving.Rewards;

namespace DeRa.Cli.Sweep;

/// <summary>The rewards of a sweep; each one's first error is shown.</summary>
internal sealed class SweepRewards : IDisposable
{
    private readonly List<IReward> _rewards = [];
    private readonly HashSet<string> _shown = [];
    private readonly TextWriter _error;

    /// <param name="entries">What they are.</param>
    /// <param name="pair">The pair, for rewards that need it; null = there is none in this process.</param>
    /// <param name="error">Receives errors of completions.</param>
    /// <exception cref="RewardException">One cannot be made.</exception>
    public SweepRewards(IReadOnlyList<RewardEntry> entries, ServedPair? pair, TextWriter error)
    {
        _error = TextWriter.Synchronized(error);
        Names = [.. entries.Select(entry => entry.Name)];
        try
        {
            foreach (var entry in entries) _rewards.Add(RewardSpec.Parse(entry.Specification, entry.Settings with { Pair = pair }));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The rewards.</summary>
    public IReadOnlyList<IReward> All => _rewards;

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>A completion has no score.</summary>
    public void Failed(string error)
    {
        lock (_shown)
            if (!_shown.Add(error)) return;
        _error.WriteLine($"dera: a completion has no score: {error.ReplaceLineEndings(" ")}");
    }

    public void Dispose() => _rewards.ForEach(reward => reward.Dispose());
}
