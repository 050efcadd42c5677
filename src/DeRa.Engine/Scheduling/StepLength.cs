namespace DeRa.Engine.Scheduling;

/// <summary>
/// How many tokens a step may run so that it takes no longer than it may, as measured. Where nothing is known yet, few. Engine thread only.
/// </summary>
/// <param name="longest">How long a step may take.</param>
internal sealed class StepLength(TimeSpan longest)
{
    private const int FirstTokens = 128;

    /// <summary>What of the estimate one step replaces.</summary>
    private const double Weight = 0.3;

    private double? _secondsPerToken;

    /// <summary>Tokens, in all passes together.</summary>
    public int Tokens => _secondsPerToken is { } seconds ? (int)Math.Min(longest.TotalSeconds / seconds, int.MaxValue) : FirstTokens;

    /// <summary>A step has run that mostly read prompts.</summary>
    /// <param name="tokens">Its tokens; at least 1.</param>
    /// <param name="took">Its time.</param>
    public void Learn(int tokens, TimeSpan took)
    {
        var measured = took.TotalSeconds / tokens;
        _secondsPerToken = _secondsPerToken is { } known ? known + Weight * (measured - known) : measured;
    }
}
