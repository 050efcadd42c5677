namespace DeRa.Lab.Objectives;

/// <summary>Which of two completions of a prompt is preferred, by their rewards.</summary>
internal interface IPreference
{
    /// <summary>Whether the first is preferred to the second; null where neither is, and the pair is skipped.</summary>
    /// <param name="firstReward">The first completion's reward.</param>
    /// <param name="secondReward">The second completion's reward.</param>
    /// <param name="step">The batch's number.</param>
    /// <param name="pair">The pair's number in its batch: with <paramref name="step"/>, what a random choice is drawn by.</param>
    bool? PrefersFirst(double firstReward, double secondReward, int step, int pair);
}
