using DeRa.Engine.Requests;

namespace DeRa.Lab.Objectives;

/// <summary>Which of two completions of a prompt is preferred, by their rewards.</summary>
internal interface IPreference
{
    /// <summary>Whether the first is preferred to the second; null where neither is, and the pair is skipped.</summary>
    /// <param name="firstReward">The first completion's reward.</param>
    /// <param name="secondReward">The second completion's reward.</param>
    /// <param name="step">The batch's number.</param>
    /// <param name="pair">The pair's number in its batch: with <paramref name="step"/>, the key of a random choice.</param>
    bool? PrefersFirst(double firstReward, double secondReward, int step, int pair);
}

/// <summary>
/// The first is preferred with probability σ(r₁ − r₂), whatever β is: DPO then ends at β·Δlog(π/π_ref) = r₁ − r₂, which
/// is π* ∝ π_ref·exp(r/β). A draw is a function of seed, step and pair, so a resumed training repeats it.
/// </summary>
internal sealed class BradleyTerryPreference(long seed) : IPreference
{
    public bool? PrefersFirst(double firstReward, double secondReward, int step, int pair) =>
        CounterRandom.Uniform(seed, pair, step) < 1 / (1 + Math.Exp(secondReward - firstReward));
}

/// <summary>
/// The higher reward is always preferred, and ties are skipped. Such preferences never contradict each other, so no finite log-ratio
/// satisfies DPO: the policy moves away from the reference for as long as it is trained.
/// </summary>
internal sealed class HardPreference : IPreference
{
    public bool? PrefersFirst(double firstReward, double secondReward, int step, int pair) =>
        firstReward == secondReward ? null : firstReward > secondReward;
}
