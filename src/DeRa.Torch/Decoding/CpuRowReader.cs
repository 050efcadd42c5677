using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Decoding;

/// <summary>Reads out one row after another, in buffers that one thread keeps.</summary>
internal sealed class CpuRowReader
{
    [ThreadStatic]
    private static CpuRowReader? s_own;

    private readonly int _vocabularySize;
    private readonly float[] _mixed; // [vocabulary], −∞ up to whole vectors
    private readonly float[] _changed; // likewise: adjusted and masked, then scaled
    private readonly CpuAdjustments _adjustments;
    private readonly CpuCandidates _candidates;
    private readonly CpuRowFilter _filter;

    private CpuRowReader(int vocabularySize)
    {
        _vocabularySize = vocabularySize;
        (_mixed, _changed) = (CpuVector.Allocate(vocabularySize), CpuVector.Allocate(vocabularySize));
        _adjustments = new CpuAdjustments(vocabularySize);
        _candidates = new CpuCandidates(vocabularySize);
        _filter = new CpuRowFilter(vocabularySize, _candidates);
    }

    /// <summary>The calling thread's.</summary>
    public static CpuRowReader Own(int vocabularySize) =>
        s_own is { } own && own._vocabularySize == vocabularySize ? own : s_own = new CpuRowReader(vocabularySize);

    /// <summary>Reads out one row.</summary>
    /// <param name="row">What is wanted.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="index">Which row of them.</param>
    /// <param name="means">For guesses: the models' mean differences; null = 0.</param>
    public ReadoutResult Read(LogitRow row, CpuLogits logits, int index, MeanDifferences? means)
    {
        if (RowFaults.Tokens(row, _vocabularySize) is { } fault) return new ReadoutResult { Error = fault };
        if (row.Sweep is { } sweep) return CpuStrengthScores.Of(sweep, row.Strengths.ActiveModels, logits, index, _mixed, _changed);
        var mixed = _mixed.AsSpan(0, _vocabularySize);
        if (row.KnownModels is null) CpuMixer.Mix(row.Strengths, logits, index, mixed);
        else CpuMixer.MixGuess(row, logits, index, means, mixed);
        var best = CpuVector.Largest(_mixed);
        if (RowFaults.Logits(best) is { } notFinite) return new ReadoutResult { Error = notFinite };
        var token = 0;
        if (row.Sampling is { } sampling && Sample(sampling, best, out token) is { } nothingLeft)
            return new ReadoutResult { Error = nothingLeft };
        if (row.Sampling?.Measures is null)
            return LogProbs(row, token, best) with { ReferenceDivergence = Divergence(row, logits, index, best) };
        var measured = CpuMeasures.Of(token, row, logits, index, _mixed, best, _changed, _candidates);
        if (measured.Measures is not { } measures) return measured;
        var nats = measures.Models[0].Divergence;
        return LogProbs(row, token, best) with
        {
            Measures = measures,
            ReferenceDivergence = ReferenceDivergence.IsMeasured(row) && double.IsFinite(nats) ? nats : null,
        };
    }

    /// <summary>Why no token can be sampled, or null and the token.</summary>
    private string? Sample(SamplingRow sampling, float best, out int token)
    {
        token = 0;
        var logits = _mixed;
        if (CpuAdjustments.AreWanted(sampling.Parameters))
        {
            _mixed.CopyTo(_changed, 0);
            _adjustments.Adjust(_changed, sampling);
            if (RowFaults.Logits(CpuVector.Largest(_changed)) is { } fault) return fault;
            _adjustments.Mask(_changed, sampling);
            best = CpuVector.Largest(_changed);
            if (RowFaults.Logits(best) is { } nothingLeft) return nothingLeft;
            logits = _changed;
        }
        token = sampling.Parameters.Temperature == 0 ? CpuVector.FirstIndexOf(logits, best) : Draw(logits, best, sampling);
        return null;
    }

    private int Draw(float[] logits, float best, SamplingRow sampling)
    {
        CpuVector.Scale(logits, best, sampling.Parameters.Temperature, _changed);
        if (TokenFilter.HasTopK(sampling.Parameters, _vocabularySize))
        {
            CpuCandidateFilter.Apply(_changed, sampling.Parameters, _candidates);
            return CpuDraw.Best(_candidates.Items, sampling.NoiseKey);
        }
        if (TokenFilter.Filters(sampling.Parameters, _vocabularySize)) _filter.Apply(_changed, sampling.Parameters);
        return CpuDraw.Best(_changed, sampling.NoiseKey);
    }

    private ReadoutResult LogProbs(LogitRow row, int token, float best)
    {
        var sampled = row.Sampling?.LogProbs;
        if (sampled is null && row.Score is null) return new ReadoutResult { Token = token };
        var logProbs = new CpuLogProbs(_mixed, _vocabularySize, best, _candidates);
        return new ReadoutResult
        {
            Token = token,
            LogProbs = sampled is { } alternatives ? logProbs.Of(token, alternatives) : null,
            Score = row.Score is { } score ? logProbs.Of(score.Token, score.Alternatives) with { Rank = logProbs.Rank(score.Token) } : null,
        };
    }

    private double? Divergence(LogitRow row, CpuLogits logits, int index, float best)
    {
        if (!ReferenceDivergence.IsMeasured(row)) return null;
        logits.Row(0, index).CopyTo(_changed);
        var nats = CpuLogProbs.Divergence(_mixed, best, _changed);
        return double.IsFinite(nats) ? Math.Max(nats, 0) : null;
    }
}
