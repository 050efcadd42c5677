namespace DeRa.Serving.Rewards;

/// <summary>
/// 1 where the completion's number is that of the item's field (or of one of them, where it is a list), else 0: mathematics with one
/// number as its result, such as GSM8K. Which number is meant: <see cref="NumberText"/>.
/// </summary>
/// <param name="fieldName">The field's name.</param>
public sealed class NumberReward(string fieldName) : TextReward
{
    private readonly ItemField _field = new("number", fieldName);

    /// <inheritdoc/>
    public override string Name => $"number:{fieldName}";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion)
    {
        if (_field.Read(completion, out var texts) is { } error) return RewardScore.Failed(error);
        double[] expected = [.. texts.Select(NumberText.Find).OfType<double>()];
        if (expected.Length == 0) return RewardScore.Failed($"reward number: the item's field '{fieldName}' holds no number");
        return RewardScore.Of(NumberText.Find(completion.Text) is { } number && expected.Contains(number) ? 1 : 0);
    }
}
