using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Penalties, logit bias and masks of one row in the host's memory: the rules of <see cref="TokenAdjustments"/> and
/// <see cref="SamplingMask"/>. One thread's.
/// </summary>
internal sealed class CpuAdjustments(int vocabularySize)
{
    private readonly int[] _seen = new int[vocabularySize]; // 1 + occurrences in the output; 0 = not in the history
    private readonly List<int> _tokens = [];
    private readonly List<float> _allowed = [];

    /// <summary>Whether any logit of a row with these parameters may change.</summary>
    public static bool AreWanted(SamplingParameters parameters) =>
        parameters.HasPenalties || parameters.LogitBias.Count > 0 || parameters.HasMasks;

    /// <summary>Penalties, then bias.</summary>
    /// <param name="logits">At least [vocabulary]; changed in place.</param>
    /// <param name="sampling">Its tokens are in the vocabulary.</param>
    public void Adjust(Span<float> logits, SamplingRow sampling)
    {
        if (sampling.Parameters.HasPenalties) Penalise(logits, sampling);
        if (sampling.Parameters.LogitBias.Count == 0) return;
        foreach (var (token, bias) in sampling.Parameters.LogitBias) logits[token] += bias;
    }

    /// <summary>−∞ for what may not be sampled.</summary>
    /// <param name="logits">At least [vocabulary]; changed in place.</param>
    /// <param name="sampling">Its tokens are in the vocabulary.</param>
    public void Mask(Span<float> logits, SamplingRow sampling)
    {
        if (SamplingMask.Of(sampling, vocabularySize) is not { } mask) return;
        foreach (var token in mask.Forbidden) logits[token] = float.NegativeInfinity;
        if (mask.Allowed is null) return;
        _allowed.Clear();
        foreach (var token in mask.Allowed) _allowed.Add(logits[token]);
        logits.Fill(float.NegativeInfinity);
        var next = 0;
        foreach (var token in mask.Allowed) logits[token] = _allowed[next++];
    }

    /// <summary>Repetition counts prompt and output, frequency and presence only the output, as in vLLM.</summary>
    private void Penalise(Span<float> logits, SamplingRow sampling)
    {
        var parameters = sampling.Parameters;
        Count(sampling.History.Span, sampling.PromptTokens);
        foreach (var token in _tokens)
        {
            var logit = logits[token];
            logit = logit > 0 ? logit / parameters.RepetitionPenalty : logit * parameters.RepetitionPenalty;
            var occurrences = _seen[token] - 1;
            if (occurrences > 0) logit = logit - parameters.FrequencyPenalty * occurrences - parameters.PresencePenalty;
            logits[token] = logit;
            _seen[token] = 0;
        }
        _tokens.Clear();
    }

    private void Count(ReadOnlySpan<int> history, int promptTokens)
    {
        for (var i = 0; i < history.Length; i++)
        {
            ref var seen = ref _seen[history[i]];
            if (seen == 0)
            {
                seen = 1;
                _tokens.Add(history[i]);
            }
            if (i >= promptTokens) seen++;
        }
    }
}
