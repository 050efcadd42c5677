namespace DeRa.Lab.Rewards;

/// <summary>
/// 0 for a finished completion of <paramref name="min"/> to <paramref name="max"/> tokens, else −1. The paper's has 40 to 50.
/// </summary>
internal sealed class LengthReward(int min, int max) : IReward
{
    public string Name => $"length:{min}-{max}";

    public ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken) =>
        new([.. completions.Select(Score)]);

    // The length of a completion that the length limit ended is unknown.
    private double Score(Completion completion) =>
        completion.Finished && completion.Tokens >= min && completion.Tokens <= max ? 0 : -1;
}
