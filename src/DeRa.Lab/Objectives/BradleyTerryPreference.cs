using DeRa.Engine.Requests;

namespace DeRa.Lab.Objectives;

/// <summary>
/// The first is preferred with probability σ(r₁ − r₂), whatever β is: DPO then ends at β·Δlog(π/π_ref) = r₁ − r₂, which
/// is π* ∝ π_ref·exp(r/β). A draw is a function of seed, step and pair, so a resumed training repeats it.
/// </summary>
internal sealed class BradleyTerryPreference(long seed) : IPreference
{
    public bool? PrefersFirst(double firstReward, double secondReward, int step, int pair) =>
        CounterRandom.Uniform(seed, pair, step) < 1 / (1 + Math.Exp(secondReward - firstReward));
}
