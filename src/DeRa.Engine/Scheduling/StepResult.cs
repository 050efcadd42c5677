using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>What a step gives back.</summary>
/// <param name="Readouts">One a readout of the plan, in its order; the executor may reuse the list in its next step.</param>
public sealed record StepResult(IReadOnlyList<ReadoutResult> Readouts)
{
    /// <summary>
    /// The part of the step from hidden states to tokens: output layers, mixing, filters, draws. On a GPU it begins when the
    /// host has queued the models' passes, and so waits for them too. Zero where nothing was measured.
    /// </summary>
    public TimeSpan MixAndSampleTime { get; init; }

    /// <summary>Branches that failed as a whole, and why; their readouts mean nothing. Empty where none did.</summary>
    public IReadOnlyDictionary<int, string> FailedBranches { get; init; } = NoFailures;

    private static readonly Dictionary<int, string> NoFailures = [];
}

/// <summary>What one readout gives back.</summary>
public readonly record struct ReadoutResult
{
    /// <summary>The sampled token; meaningful only where sampling was asked for.</summary>
    public int Token { get; init; }

    /// <summary>Log-probabilities of the sampled token, where asked for.</summary>
    public TokenLogProbs? LogProbs { get; init; }

    /// <summary>Measures of the sampled token, where asked for.</summary>
    public TokenMeasures? Measures { get; init; }

    /// <summary>Log-probabilities of the scored token, where asked for.</summary>
    public TokenLogProbs? Score { get; init; }

    /// <summary>Scores at many strengths, where asked for.</summary>
    public StrengthScores? Sweep { get; init; }

    /// <summary>KL(mixture ‖ reference model) in nats where the readout sampled, at least 0; null where it was not measured.</summary>
    public double? ReferenceDivergence { get; init; }

    /// <summary>Why this position alone failed (such as logits that are not finite); null where it did not.</summary>
    public string? Error { get; init; }
}
