using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Testing;

/// <summary>
/// Stands in for the models without libtorch: two "models" whose logits are a hash of every token that their simulated
/// caches hold for a row, found through its block table. A row that is handed another's blocks, a wrong position or a
/// stale token gives other tokens than its solo run.
/// </summary>
public sealed class ScriptedExecutor : IStepExecutor
{
    private const int Empty = -1;
    private readonly int[] referenceCache;
    private readonly int[] alignedCache;
    private readonly CancellationTokenSource _testOver = new();

    public ScriptedExecutor(
        int vocabularySize = 258, int contextTokens = 256, int blockTokens = 8, int blockCount = 512)
    {
        Limits = new ExecutorLimits(vocabularySize, contextTokens, blockTokens, blockCount);
        referenceCache = new int[blockTokens * blockCount];
        alignedCache = new int[blockTokens * blockCount];
        Array.Fill(referenceCache, Empty);
        Array.Fill(alignedCache, Empty);
    }

    public ExecutorLimits Limits { get; }

    /// <summary>Called before each step, on the engine's thread; a test may hold the engine here or throw.</summary>
    public Action<StepPlan>? BeforeStep { get; set; }

    /// <summary>
    /// Cancelled by <see cref="EndTest"/>: what holds the engine in <see cref="BeforeStep"/> waits with it, or a test that fails
    /// would never end.
    /// </summary>
    public CancellationToken TestOver => _testOver.Token;

    /// <summary>What a row reports as its own failure; null = none.</summary>
    public Func<StepRow, string?>? RowError { get; set; }

    /// <summary>Replaces the sampled token; null = sample.</summary>
    public Func<StepRow, int?>? Script { get; set; }

    /// <summary>What each step says that mixing and sampling took.</summary>
    public TimeSpan MixAndSampleTime { get; set; }

    /// <summary>What each sampling row says that the mixture's distance from the reference model is; null = not measured.</summary>
    public double? ReferenceDivergence { get; set; }

    public bool IsDisposed { get; private set; }

    /// <summary>Rows run by each model so far.</summary>
    public int ReferenceRows { get; private set; }

    public int AlignedRows { get; private set; }

    public StepResult Execute(StepPlan plan)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        BeforeStep?.Invoke(plan);
        return new StepResult([.. plan.Rows.Select(Run)]) { MixAndSampleTime = MixAndSampleTime };
    }

    public void Dispose() => IsDisposed = true;

    /// <summary>Lets a step that a test holds go on.</summary>
    public void EndTest() => _testOver.Cancel();

    /// <summary>The mixture's logits after a prefix: what the executor itself computes, for oracles.</summary>
    public float[] MixedLogits(ReadOnlySpan<int> prefix, double strength) => MixedLogits(prefix, prefix, strength);

    /// <summary>Each model by what its own cache holds: where one lacks a token, the mixture is another.</summary>
    private float[] MixedLogits(ReadOnlySpan<int> referencePrefix, ReadOnlySpan<int> alignedPrefix, double strength)
    {
        var (reference, aligned) = (Hash(referencePrefix, 1), Hash(alignedPrefix, 2));
        var mixed = new float[Limits.VocabularySize];
        for (var token = 0; token < mixed.Length; token++)
            mixed[token] = (float)((1 - strength) * Logit(reference, token) + strength * Logit(aligned, token));
        return mixed;
    }

    private RowResult Run(StepRow row)
    {
        if (RowError?.Invoke(row) is { } error) return new RowResult { Error = error };
        if (row.Strengths.IsActive(0)) ReferenceRows++;
        if (row.Strengths.IsActive(1)) AlignedRows++;
        Write(row);
        return new RowResult
        {
            Token = row.Sampling is null ? 0 : Script?.Invoke(row) ?? Sample(row),
            ReferenceDivergence = row.Sampling is null ? null : ReferenceDivergence,
            LogProbs = row.Sampling?.LogProbs is { } count ? LogProbs(row) : null,
            ScoredLogProbs = [.. row.ScoredTokens.ToArray().Select((token, i) =>
                Score(MixedLogits(row, row.Position + i + 1), token, row.ScoredAlternatives))],
        };

        TokenLogProbs LogProbs(StepRow sampled) => Score(
            MixedLogits(sampled, sampled.Position + sampled.Tokens.Length),
            Script?.Invoke(sampled) ?? Sample(sampled), sampled.Sampling!.LogProbs!.Value);
    }

    private void Write(StepRow row)
    {
        for (var i = 0; i < row.Tokens.Length; i++)
        {
            var slot = Slot(row, row.Position + i);
            if (row.Strengths.IsActive(0)) referenceCache[slot] = row.Tokens.Span[i];
            if (row.Strengths.IsActive(1)) alignedCache[slot] = row.Tokens.Span[i];
        }
    }

    private int Slot(StepRow row, int position) =>
        row.BlockTable[position / Limits.BlockTokens] * Limits.BlockTokens + position % Limits.BlockTokens;

    private float[] MixedLogits(StepRow row, int length) =>
        MixedLogits(Prefix(referenceCache, row, length), Prefix(alignedCache, row, length), row.Strengths[0]);

    private int[] Prefix(int[] cache, StepRow row, int length) =>
        [.. Enumerable.Range(0, length).Select(position => cache[Slot(row, position)])];

    private int Sample(StepRow row) =>
        ReferenceSampler.Token(MixedLogits(row, row.Position + row.Tokens.Length), row.Sampling!);

    private static TokenLogProbs Score(float[] logits, int token, int alternatives)
    {
        var max = logits.Max();
        var logSum = max + MathF.Log(logits.Sum(logit => MathF.Exp(logit - max)));
        var top = logits.Select((logit, id) => (id, logit - logSum)).OrderByDescending(entry => entry.Item2).Take(alternatives);
        return new TokenLogProbs(token, logits[token] - logSum, [.. top]) { Rank = 1 + logits.Count(logit => logit > logits[token]) };
    }

    private static ulong Hash(ReadOnlySpan<int> prefix, ulong model)
    {
        var hash = Scramble(model);
        foreach (var token in prefix) hash = Scramble(hash ^ (uint)token);
        return hash;
    }

    /// <summary>A logit in [−3, 3).</summary>
    private static float Logit(ulong hash, int token) =>
        (Scramble(hash + (ulong)token * 0x9E3779B97F4A7C15) >> 40) * (6f / (1 << 24)) - 3;

    private static ulong Scramble(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
