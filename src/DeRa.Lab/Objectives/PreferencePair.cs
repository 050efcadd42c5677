using static TorchSharp.torch;

namespace DeRa.Lab.Objectives;

/// <summary>Two rows of a <see cref="SampleBatch"/> that complete one prompt, the better one first.</summary>
internal readonly record struct PreferencePair(int Chosen, int Rejected)
{
    /// <summary>The pairs of neighbouring completions of each prompt: G − 1 a prompt, less those without a preference.</summary>
    public static IReadOnlyList<PreferencePair> Neighbours(SampleBatch batch, IPreference preference)
    {
        var rewards = RewardValues(batch);
        var pairs = new List<PreferencePair>();
        for (var first = 0; first + 1 < rewards.Length; first++)
        {
            var second = first + 1;
            if (second % batch.CompletionsPerPrompt == 0) continue;
            var prefersFirst = preference.PrefersFirst(rewards[first], rewards[second], batch.Step, first);
            if (prefersFirst is { } yes) pairs.Add(yes ? new(first, second) : new(second, first));
        }
        return pairs;
    }

    private static double[] RewardValues(SampleBatch batch)
    {
        using var scope = NewDisposeScope();
        return batch.RewardsByPrompt().cpu().contiguous().data<double>().ToArray();
    }
}
