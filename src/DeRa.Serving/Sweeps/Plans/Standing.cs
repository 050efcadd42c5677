using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>How a strength stands after a round of a search.</summary>
/// <param name="Round">Which round, from 1.</param>
/// <param name="Prompts">Prompts that count: all strengths of the round have run there, and have a score.</param>
/// <param name="Strength">The strength.</param>
/// <param name="Mean">Its first reward, the mean over these prompts.</param>
/// <param name="Difference">What it is above that of the best, prompt by prompt, with a 99 % interval.</param>
/// <param name="IsBest">Whether its mean is the highest.</param>
public sealed record Standing(int Round, int Prompts, double Strength, double Mean, Interval Difference, bool IsBest)
{
    /// <summary>Whether it is worse than the best beyond doubt.</summary>
    public bool IsWorse => !IsBest && Difference.High < 0;
}
