using System.Numerics;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Measures what a token takes with guesses and without, for each make-up of the batch, and says which is to be taken. A pass over
/// guesses too costs little where weights dominate, and much where arithmetic does: nobody but the machine knows. Engine thread only.
/// </summary>
internal sealed class TokenTimes
{
    /// <summary>Steps that are measured before anything is said of a way; the first few after a change are not.</summary>
    private const int TrialSteps = 24, WarmUpSteps = 2;

    /// <summary>After so many steps of one way, the other is tried again; after more where it was far slower.</summary>
    private const int StepsBetweenTrials = 1024, StepsWhereFarSlower = 8192;

    /// <summary>How many times as slow is far slower.</summary>
    private const double FarSlower = 1.2;

    /// <summary>How much faster the other way must be to be taken.</summary>
    private const double Gain = 1.03;

    /// <summary>
    /// What of an estimate the next so many steps replace: little, or a moment in which the machine is held up would look like a reason to
    /// change; and what those of a trial do, which are all that is seen of the other way for long.
    /// </summary>
    private const double Weight = 0.2, TrialWeight = 0.5;

    private readonly Dictionary<(int, int), Batch> _batches = [];

    /// <summary>Whether to guess in a step.</summary>
    /// <param name="branches">Its branches.</param>
    /// <param name="mixed">Those of them that need passes of several runners.</param>
    public bool Speculates(int branches, int mixed) => BatchOf(branches, mixed).Speculates;

    /// <summary>A step has run.</summary>
    /// <param name="speculated">Whether with guesses.</param>
    /// <param name="branches">Branches in it, all decoding.</param>
    /// <param name="mixed">Those of them that need passes of several runners.</param>
    /// <param name="tokens">Tokens that were decided.</param>
    /// <param name="took">Its time.</param>
    public void Add(bool speculated, int branches, int mixed, int tokens, TimeSpan took)
    {
        var batch = BatchOf(branches, mixed);
        if (batch.Speculates == speculated) batch.Add(tokens, took.TotalSeconds);
    }

    private Batch BatchOf(int branches, int mixed)
    {
        var size = (Rounded(branches), Rounded(mixed));
        if (!_batches.TryGetValue(size, out var batch)) _batches.Add(size, batch = new Batch());
        return batch;
    }

    /// <summary>
    /// Numbers that are about the same are one: 0, 1, 2, 3, 4, 5–6, 7–8, 9–12, 13–16, 17–24, …; the largest stands for all.
    /// </summary>
    private static int Rounded(int number)
    {
        if (number <= 4) return number;
        var half = (1 << BitOperations.Log2((uint)number - 1)) / 2;
        return (number + half - 1) / half * half;
    }

    /// <summary>Batches of one size.</summary>
    private sealed class Batch
    {
        // Seconds a token, without guesses and with; null = not known.
        private readonly double?[] _secondsPerToken = new double?[2];
        private int _steps;
        private bool _returns;
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
            var (own, other) = (_secondsPerToken[Way], _secondsPerToken[1 - Way]);
            if (other is null || own > other * Gain || _steps >= (other > own * FarSlower ? StepsWhereFarSlower : StepsBetweenTrials))
                Change();
        }

        /// <summary>From the median step, since now and then one is held up by something else.</summary>
        private void Estimate()
        {
            Array.Sort(_stepSeconds);
            if (_tokens > 0)
            {
                var measured = _stepSeconds[TrialSteps / 2] * TrialSteps / _tokens;
                var weight = _returns || _steps > WarmUpSteps + TrialSteps ? Weight : TrialWeight;
                _secondsPerToken[Way] = _secondsPerToken[Way] is { } known ? known + weight * (measured - known) : measured;
            }
            (_tokens, _measured) = (0, 0);
        }

        /// <summary>Takes the other way; what is left after a trial has not made the way before it any less known.</summary>
        private void Change() => (Speculates, _returns, _steps) = (!Speculates, _steps <= WarmUpSteps + TrialSteps, 0);
    }
}
