namespace DeRa.Lab.Objectives;

/// <summary>
/// The higher reward is always preferred, and a tie is skipped. Such preferences contradict each other nowhere, so no finite
/// log-ratio satisfies DPO: it runs away from the reference for as long as it is trained.
/// </summary>
internal sealed class HardPreference : IPreference
{
    public bool? PrefersFirst(double firstReward, double secondReward, int step, int pair) =>
        firstReward == secondReward ? null : firstReward > secondReward;
}
