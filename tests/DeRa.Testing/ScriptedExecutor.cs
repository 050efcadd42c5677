using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Testing;

/// <summary>
/// Stands in for the models without libtorch: "models" whose logits are a hash of every token that their simulated caches hold for a
/// branch, found through its block table. A row that is handed another's blocks, a wrong position or a stale token gives other tokens
/// than its solo run, and so does a readout of a slot that holds another row's logits.
/// </summary>
public sealed class ScriptedExecutor : IStepExecutor
{
    private const int Empty = -1;
    private readonly int[][] _caches;
    private readonly (ulong Hash, int Model)[] _slots;
    private readonly int[] _runnerOfModel;
    private readonly CancellationTokenSource _testOver = new();

    public ScriptedExecutor(int vocabularySize = 258, int contextTokens = 256, int blockTokens = 8, int blockCount = 512,
        int logitSlots = 1024, IReadOnlyList<RunnerLimits>? runners = null)
    {
        Limits = new ExecutorLimits(vocabularySize, contextTokens, blockTokens, blockCount) { LogitSlots = logitSlots };
        if (runners is not null) Limits = Limits with { Runners = runners };
        _runnerOfModel = new int[Limits.ModelCount];
        for (var runner = 0; runner < Limits.Runners.Count; runner++)
            foreach (var model in Limits.Runners[runner].Models) _runnerOfModel[model] = runner;
        _caches = [.. _runnerOfModel.Select(_ => Enumerable.Repeat(Empty, blockTokens * blockCount).ToArray())];
        _slots = new (ulong, int)[logitSlots];
        RowsRun = new int[Limits.ModelCount];
        TokensRun = new int[Limits.ModelCount];
    }

    public ExecutorLimits Limits { get; }

    /// <summary>How far a model's logits are from the first one's: 1 = nothing in common, 0 = the same.</summary>
    public double Difference { get; init; } = 1;

    /// <summary>Called before each step, on the engine's thread; a test may hold the engine here or throw.</summary>
    public Action<StepPlan>? BeforeStep { get; set; }

    /// <summary>
    /// Cancelled by <see cref="EndTest"/>: what holds the engine in <see cref="BeforeStep"/> waits with it, or a test that fails
    /// would never end.
    /// </summary>
    public CancellationToken TestOver => _testOver.Token;

    /// <summary>What a readout reports as its own failure; null = none.</summary>
    public Func<Readout, string?>? ReadoutError { get; set; }

    /// <summary>Replaces the sampled token; null = sample.</summary>
    public Func<Readout, int?>? Script { get; set; }

    /// <summary>What each step says that mixing and sampling took.</summary>
    public TimeSpan MixAndSampleTime { get; set; }

    /// <summary>What each sampling readout says that the mixture's distance from the reference model is; null = not measured.</summary>
    public double? ReferenceDivergence { get; set; }

    public bool IsDisposed { get; private set; }

    /// <summary>Rows run by each model so far.</summary>
    public int[] RowsRun { get; }

    /// <summary>Tokens run by each model so far.</summary>
    public int[] TokensRun { get; }

    public StepResult Execute(StepPlan plan)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        BeforeStep?.Invoke(plan);
        CheckWriters(plan);
        Copy(plan.BlockCopies);
        foreach (var pass in plan.Passes)
            foreach (var row in pass.Rows) Run(pass, row);
        return new StepResult([.. plan.Readouts.Select(readout => Read(plan, readout))]) { MixAndSampleTime = MixAndSampleTime };
    }

    public void Dispose() => IsDisposed = true;

    /// <summary>Lets a step that a test holds go on.</summary>
    public void EndTest() => _testOver.Cancel();

    /// <summary>The mixture's logits after a prefix: what the executor itself computes, for oracles.</summary>
    public float[] MixedLogits(ReadOnlySpan<int> prefix, AlignmentStrengths strengths)
    {
        var hashes = new ulong[strengths.ActiveModels.Length];
        Array.Fill(hashes, Hash(prefix));
        return Mixed(strengths.ActiveModels, [.. strengths.ActiveModels.Select(strengths.OfMember)], hashes);
    }

    /// <summary>The same where models read prefixes of their own.</summary>
    public float[] MixedLogits(IReadOnlyList<int[]> prefixOfModel, AlignmentStrengths strengths) =>
        Mixed(strengths.ActiveModels, [.. strengths.ActiveModels.Select(strengths.OfMember)],
            [.. strengths.ActiveModels.Select(model => Hash(prefixOfModel[model]))]);

    /// <summary>No two rows of a step may write the same place, nor one into what another reads.</summary>
    private void CheckWriters(StepPlan plan)
    {
        var writers = new Dictionary<(int Model, int Slot), int>();
        foreach (var row in plan.Passes.SelectMany(pass => pass.Rows))
            for (var i = 0; i < row.Tokens.Length; i++)
                if (!writers.TryAdd((row.Model, Slot(row, row.Position + i)), row.Branch))
                    throw new InvalidOperationException($"position {row.Position + i} of branch {row.Branch} is written by another too");
        foreach (var row in plan.Passes.SelectMany(pass => pass.Rows))
            for (var position = 0; position < row.Position; position++)
                if (writers.TryGetValue((row.Model, Slot(row, position)), out var writer))
                    throw new InvalidOperationException($"branch {row.Branch} reads at {position} what branch {writer} writes");
    }

    private void Copy(IReadOnlyList<BlockCopy> copies)
    {
        foreach (var copy in copies)
            foreach (var cache in _caches)
                Array.Copy(cache, copy.From * Limits.BlockTokens, cache, copy.To * Limits.BlockTokens, Limits.BlockTokens);
    }

    private void Run(ModelPass pass, PassRow row)
    {
        if (_runnerOfModel[row.Model] != pass.Runner)
            throw new InvalidOperationException($"model {row.Model} in a pass of runner {pass.Runner}");
        if (row.KeptSlots.Count > row.OutputCount || row.OutputCount > row.Tokens.Length || row.Tokens.Length == 0)
            throw new InvalidOperationException($"{row.KeptSlots.Count} of {row.OutputCount} of {row.Tokens.Length} tokens");
        RowsRun[row.Model]++;
        TokensRun[row.Model] += row.Tokens.Length;
        for (var i = 0; i < row.Tokens.Length; i++) _caches[row.Model][Slot(row, row.Position + i)] = row.Tokens.Span[i];
        for (var i = 0; i < row.KeptSlots.Count; i++)
            _slots[row.KeptSlots[i]] = (HashOf(row, row.OutputCount - row.KeptSlots.Count + i), row.Model);
    }

    private ReadoutResult Read(StepPlan plan, Readout readout)
    {
        if (ReadoutError?.Invoke(readout) is { } error) return new ReadoutResult { Error = error };
        var active = readout.Strengths.ActiveModels;
        var known = readout.Sources.Index().Where(source => source.Item.IsKnown).Select(source => source.Index).ToList();
        ulong[] hashes = [.. known.Select(i => HashOf(plan, readout.Sources[i], active[i]))];
        if (readout.Sweep is { } sweep) return new ReadoutResult { Sweep = Sweep(sweep, active, hashes) };
        var mixed = Mixed([.. known.Select(i => active[i])], Weights(readout, known), hashes);
        if (readout.Score is { } score) return new ReadoutResult { Score = Score(mixed, score.Token, score.Alternatives) };
        var token = Script?.Invoke(readout) ?? ReferenceSampler.Token(mixed, readout.Sampling!.Value);
        return new ReadoutResult
        {
            Token = token,
            ReferenceDivergence = ReferenceDivergence,
            LogProbs = readout.Sampling?.LogProbs is { } count ? Score(mixed, token, count) with { Rank = null } : null,
            Measures = readout.Sampling?.Measures is { } top ? Measure(readout.Strengths, token, top, mixed, hashes) : null,
        };
    }

    /// <summary>Every model's logits are known and all are active.</summary>
    private TokenMeasures Measure(AlignmentStrengths strengths, int token, int top, float[] mixed, ulong[] hashes)
    {
        var mixture = ReferenceSampler.LogProbs(mixed);
        double[][] models = [.. strengths.ActiveModels.Select((model, i) => ReferenceSampler.LogProbs(Mixed([model], [1], [hashes[i]])))];
        var logZ = Math.Log(Enumerable.Range(0, mixed.Length)
            .Sum(v => Math.Exp(models.Select((row, model) => strengths.OfMember(model) * row[v]).Sum())));
        return new TokenMeasures(token, mixture[token], strengths.WeightedModels.Length == 1 ? 0 : logZ, [.. models.Select(row =>
            new ModelMeasures(row[token], mixture.Zip(row, (p, q) => Math.Exp(p) * (p - q)).Sum(), Best(row, top)))])
        {
            Top = Best(mixture, top),
        };
    }

    private static (int Token, float LogProb)[] Best(double[] logProbs, int count) =>
        [.. logProbs.Select((logProb, token) => (token, (float)logProb)).OrderByDescending(entry => entry.Item2).Take(count)];

    private StrengthScores Sweep(SweptToken sweep, IReadOnlyList<int> active, ulong[] hashes)
    {
        var (token, models) = (sweep.Token, Enumerable.Range(0, active[^1] + 1));
        var reference = active[0] == 0 ? ReferenceSampler.LogProbs(Mixed([0], [1], [hashes[0]])) : null;
        var rows = sweep.Strengths.Select(strengths => ReferenceSampler.LogProbs(
            Mixed(active, [.. active.Select(strengths.OfMember)], hashes))).ToArray();
        return new StrengthScores(token, [.. rows.Select(row => row[token])],
            [.. rows.Select(row => reference is null ? 0 : row.Zip(reference, (p, q) => Math.Exp(p) * (p - q)).Sum())],
            [.. models.Select(model => active.Contains(model)
                ? ReferenceSampler.LogProbs(Mixed([model], [1], [hashes[active.Index().First(entry => entry.Item == model).Index]]))[token]
                : double.NaN)]);
    }

    /// <summary>A model that is not there yet is taken to say what the last one says that is.</summary>
    private static double[] Weights(Readout readout, List<int> known)
    {
        var weights = known.ConvertAll(i => readout.Strengths.OfMember(readout.Strengths.ActiveModels[i]));
        for (var i = 0; i < readout.Sources.Count; i++)
            if (!readout.Sources[i].IsKnown) weights[^1] += readout.Strengths.OfMember(readout.Strengths.ActiveModels[i]);
        return [.. weights];
    }

    private ulong HashOf(StepPlan plan, LogitSource source, int model)
    {
        if (source.IsKept)
            return _slots[source.Slot].Model == model ? _slots[source.Slot].Hash
                : throw new InvalidOperationException($"slot {source.Slot} holds logits of model {_slots[source.Slot].Model}, not {model}");
        var row = plan.Passes.Single(pass => pass.Runner == _runnerOfModel[model]).Rows[source.Row];
        return row.Model == model ? HashOf(row, source.Output)
            : throw new InvalidOperationException($"a row of model {row.Model} for {model}");
    }

    /// <summary>Of all that the model's cache holds up to one of a row's outputs.</summary>
    private ulong HashOf(PassRow row, int output)
    {
        var length = row.Position + row.Tokens.Length - row.OutputCount + output + 1;
        var prefix = new int[length];
        for (var position = 0; position < length; position++) prefix[position] = _caches[row.Model][Slot(row, position)];
        return Hash(prefix);
    }

    private int Slot(PassRow row, int position) =>
        row.BlockTable[position / Limits.BlockTokens] * Limits.BlockTokens + position % Limits.BlockTokens;

    /// <summary>
    /// A logit of model m is (1 − difference) of what the prefix alone gives and difference of what it gives to m. The hash of a model
    /// has the prefix's in it, so one number says both.
    /// </summary>
    private float[] Mixed(IReadOnlyList<int> models, double[] weights, ulong[] hashes)
    {
        var mixed = new float[Limits.VocabularySize];
        for (var token = 0; token < mixed.Length; token++)
        {
            var sum = 0.0;
            for (var i = 0; i < hashes.Length; i++)
            {
                var ownHash = Scramble(hashes[i] + (ulong)models[i] + 1);
                sum += weights[i] * ((1 - Difference) * Logit(hashes[i], token) + Difference * Logit(ownHash, token));
            }
            mixed[token] = (float)sum;
        }
        return mixed;
    }

    private static TokenLogProbs Score(float[] logits, int token, int alternatives)
    {
        var max = logits.Max();
        var logSum = max + MathF.Log(logits.Sum(logit => MathF.Exp(logit - max)));
        var top = logits.Select((logit, id) => (id, logit - logSum)).OrderByDescending(entry => entry.Item2).Take(alternatives);
        return new TokenLogProbs(token, logits[token] - logSum, [.. top]) { Rank = 1 + logits.Count(logit => logit > logits[token]) };
    }

    /// <summary>
    /// Which model's it is does not enter: <see cref="Mixed"/> adds that. A model that lacks a token hashes another prefix.
    /// </summary>
    private static ulong Hash(ReadOnlySpan<int> prefix)
    {
        var hash = Scramble(1);
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
