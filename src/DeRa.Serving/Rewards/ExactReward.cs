namespace DeRa.Serving.Rewards;

/// <summary>
/// 1 where the completion is the item's field (one of them, where it is a list), white space around both aside, else 0.
/// </summary>
/// <param name="fieldName">The field's name.</param>
public sealed class ExactReward(string fieldName) : TextReward
{
    private readonly ItemField _field = new("exact", fieldName);

    /// <inheritdoc/>
    public override string Name => $"exact:{fieldName}";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion)
    {
        if (_field.Read(completion, out var expected) is { } error) return RewardScore.Failed(error);
        var text = completion.Text.Trim();
        return RewardScore.Of(expected.Any(one => one.Trim() == text) ? 1 : 0);
    }
}
