using System.Globalization;
using DeRa.Serving.Rewards;

namespace DeRa.Serving.Tests.Sweeps;

/// <summary>
/// A curve over the strength, with noise: the larger part belongs to prompt and sample and is the same at all strengths, as with common
/// random numbers.
/// </summary>
/// <param name="curve">The mean at a strength and a prompt; null = no score.</param>
/// <param name="noise">How large the noise is that is not common.</param>
internal sealed class ScriptedReward(Func<double, long, double?> curve, double noise) : IReward
{
    public string Name => "curve";

    public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation) =>
        ValueTask.FromResult<IReadOnlyList<RewardScore>>([.. completions.Select(completion => Score(completion.Text))]);

    public void Dispose()
    {
    }

    private RewardScore Score(string text)
    {
        var parts = text.Split(' ');
        var (strength, seed) = (double.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
        var common = new Random(seed * 100 + int.Parse(parts[2], CultureInfo.InvariantCulture));
        var own = new Random(common.Next() ^ (int)(strength * 1000));
        return curve(strength, seed) is { } mean ? RewardScore.Of(mean + Noise(common) + noise * Noise(own)) : RewardScore.Failed("no");
    }

    private static double Noise(Random random) => 2 * random.NextDouble() - 1;
}
