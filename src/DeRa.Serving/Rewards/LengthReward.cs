namespace DeRa.Serving.Rewards;

/// <summary>
/// 0 for a finished completion of <paramref name="min"/> to <paramref name="max"/> tokens, else −1. The paper's has 40 to 50.
/// </summary>
public sealed class LengthReward(int min, int max) : TextReward
{
    /// <inheritdoc/>
    public override string Name => $"length:{min}-{max}";

    // The length of a completion that the length limit ended is unknown.
    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion) =>
        RewardScore.Of(completion.Finished && completion.Tokens >= min && completion.Tokens <= max ? 0 : -1);
}
