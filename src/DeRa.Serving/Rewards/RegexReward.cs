using System.Text.RegularExpressions;

namespace DeRa.Serving.Rewards;

/// <summary>1 where a regular expression (.NET's syntax) matches somewhere in the completion, else 0.</summary>
public sealed class RegexReward : TextReward
{
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(1);

    private readonly Regex _pattern;

    /// <param name="pattern">The expression.</param>
    /// <exception cref="RewardException">It is none.</exception>
    public RegexReward(string pattern)
    {
        try
        {
            _pattern = new Regex(pattern, RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (ArgumentException exception)
        {
            throw new RewardException($"reward regex: {exception.Message}", exception);
        }
    }

    /// <inheritdoc/>
    public override string Name => $"regex:{_pattern}";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion)
    {
        try
        {
            return RewardScore.Of(_pattern.IsMatch(completion.Text) ? 1 : 0);
        }
        catch (RegexMatchTimeoutException)
        {
            return RewardScore.Failed($"reward regex: no result within {LongestMatch.TotalSeconds} s; the expression backtracks too much");
        }
    }
}
