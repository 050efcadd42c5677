namespace DeRa.Engine.Scheduling;

/// <summary>
/// Measures what a token takes with guesses and without, for each size of batch, and says which is to be taken. A pass over guesses too
/// costs little where weights dominate, and much where arithmetic does: nobody but the machine knows. Engine thread only.
/// </summary>
internal sealed class TokenTimes
{
    /// <summary>Steps that are measured before anything is said of a way; the first few after a change are not.</summary>
    private const int TrialSteps = 24, WarmUpSteps = 2;

    /// <summary>After so many steps of one way, the other is tried again.</summary>
    private const int StepsBetweenTrials = 1024;

    /// <summary>How much faster the other way must be to be taken.</summary>
    private const double Gain = 1.03;

    /// <summary>What of an estimate a whole trial replaces.</summary>
    private const double Weight = 0.5;

    private readonly Dictionary<int, Batch> _batches = [];

    /// <summary>Whether to guess in a step of that many branches.</summary>
    public bool Speculates(int branches) => BatchOf(branches).Speculates;

    /// <summary>A step has run.</summary>
    /// <param name="speculated">Whether with guesses.</param>
    /// <param name="branches">Branches in it, all decoding.</param>
    /// <param name="tokens">Tokens that were decided.</param>
    /// <param name="took">Its time.</param>
    public void Add(bool speculated, int branches, int tokens, TimeSpan took)
    {
        var batch = BatchOf(branches);
        if (batch.Speculates == speculated) batch.Add(tokens, took.TotalSeconds);
    }

    /// <summary>Batches of about the same size are one: 1, 2, 3, 4, 5–6, 7–8, 9–12, 13–16, …</summary>
    private Batch BatchOf(int branches)
    {
        var octave = Math.Max(0, (int)Math.Log2(Math.Max(1, branches - 1)) - 1);
        var size = octave << 16 | (Math.Max(1, branches) - 1 >> octave);
        if (!_batches.TryGetValue(size, out var batch)) _batches.Add(size, batch = new Batch());
        return batch;
    }

    /// <summary>Batches of one size.</summary>
    private sealed class Batch
    {
        // Seconds a token, without guesses and with; null = not known.
        private readonly double?[] _secondsPerToken = new double?[2];
        private int _steps;
        private readonly double[] _stepSeconds = new double[TrialSteps];
        private int _measured;
        private int _tokens;

        public bool Speculates { get; private set; } = true;

        private int Way => Speculates ? 1 : 0;

        public void Add(int tokens, double seconds)
        {
            if (++_steps <= WarmUpSteps) return;
            _stepSeconds[_measured++] = seconds;
            _tokens += tokens;
            if (_measured < TrialSteps) return;
            Estimate();
            if (_secondsPerToken[1 - Way] is not { } other || _steps >= StepsBetweenTrials) Change();
            else if (_secondsPerToken[Way] is { } own && own > other * Gain) Change();
        }

        /// <summary>From the median step, since now and then one is held up by something else.</summary>
        private void Estimate()
        {
            Array.Sort(_stepSeconds);
            if (_tokens > 0)
            {
                var measured = _stepSeconds[TrialSteps / 2] * TrialSteps / _tokens;
                var known = _steps > WarmUpSteps + TrialSteps ? _secondsPerToken[Way] : null;
                _secondsPerToken[Way] = known is null ? measured : known + Weight * (measured - known);
            }
            (_tokens, _measured) = (0, 0);
        }

        private void Change() => (Speculates, _steps) = (!Speculates, 0);
    }
}
