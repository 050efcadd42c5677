namespace DeRa.Serving.Rewards;

/// <summary>Asks a reward only for what its cache does not hold, and for what is the same only once. Failures are not kept.</summary>
/// <param name="reward">Disposed with it.</param>
/// <param name="cache">Of that reward.</param>
internal sealed class CachedReward(IReward reward, RewardCache cache) : IReward
{
    public string Name => reward.Name;

    public async ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(
        IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        string[] keys = [.. completions.Select(RewardCache.KeyOf)];
        var missing = Enumerable.Range(0, keys.Length).Where(i => cache.Find(keys[i]) is null).DistinctBy(i => keys[i]).ToArray();
        var scored = missing.Length == 0 ? [] : await reward.ScoreAsync([.. missing.Select(i => completions[i])], cancellation);
        var found = missing.Zip(scored).ToDictionary(entry => keys[entry.First], entry => entry.Second);
        var kept = found.Where(entry => entry.Value.Value is not null).Select(entry => (entry.Key, entry.Value.Value!.Value)).ToArray();
        if (kept.Length > 0) Keep(kept);
        return [.. keys.Select(key => found.TryGetValue(key, out var score) ? score : RewardScore.Of(cache.Find(key)!.Value))];
    }

    private void Keep(IReadOnlyCollection<(string, double)> scores)
    {
        try
        {
            cache.Add(scores);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It costs time later, and no score: this process still has them in memory.
        }
    }

    public void Dispose() => reward.Dispose();
}
