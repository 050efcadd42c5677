using DeRa.Engine.Branches;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// What is read out of a branch's logits in a step: scores of its prompt, the tokens for which every active model's logits are known, and
/// guesses for those after them from the models that know more.
/// </summary>
internal sealed class ReadoutBuilder
{
    private readonly List<Readout> _readouts = [];
    private readonly List<LogitSource[]> _sources = []; // by readout; used again in each step

    /// <summary>What has been added; the next step reuses the list and what is in it.</summary>
    public IReadOnlyList<Readout> Readouts => _readouts;

    /// <summary>Begins another step, with nothing in it.</summary>
    public void Clear() => _readouts.Clear();

    /// <summary>Sees what is known once the step's tokens have run: how many outputs each row needs, and what can be decided.</summary>
    public static void Prepare(Branch branch)
    {
        var step = branch.Step;
        var decidable = int.MaxValue;
        foreach (var model in branch.Strengths.ActiveModels)
        {
            var (end, prompt) = (step.End[model], branch.ContextOf(model).PromptTokens);
            step.LastRow[model] = end == 0 ? branch.LastKeptRow(model) : end >= prompt + branch.DecidedTokens ? end - prompt : -1;
            step.Outputs[model] = OutputCount(branch, model);
            decidable = Math.Min(decidable, step.LastRow[model]);
        }
        var generates = branch.Request.MaxTokens > 0;
        step.DecisionCount = generates ? Math.Max(0, decidable - branch.DecidedTokens + 1) : 0;
        step.FirstGuess = branch.DecidedTokens + step.DecisionCount;
    }

    /// <summary>Where a model's rows beyond those that are decided now are kept.</summary>
    public static int[] KeptSlots(Branch branch, int model)
    {
        var step = branch.Step;
        // Those before the row's outputs are kept already.
        var count = Math.Min(step.LastRow[model] - step.FirstGuess + 1, step.Outputs[model]);
        if (count <= 0 || branch.RunsTogether || branch.Request.MaxTokens == 0) return [];
        var slots = step.KeptSlots(model, count);
        for (var i = 0; i < count; i++) slots[i] = branch.SlotOf(model, step.LastRow[model] - count + 1 + i);
        return slots;
    }

    /// <summary>Adds a branch's readouts.</summary>
    /// <param name="branch">A branch whose rows are laid out.</param>
    /// <param name="guesses">Whether to guess.</param>
    public void Add(Branch branch, bool guesses)
    {
        var step = branch.Step;
        step.FirstReadout = _readouts.Count;
        if (step.Scores) AddScores(branch);
        for (var i = 0; i < step.DecisionCount; i++)
            _readouts.Add(Sample(branch, branch.DecidedTokens + i, isGuess: false));
        if (!guesses || !branch.Request.Speculation || branch.RunsTogether) return;
        var end = branch.GuessEnd(step.FirstGuess + Branch.MaxGuesses);
        for (var index = step.FirstGuess; index < end; index++)
        {
            if (!IsKnown(branch, index)) return;
            _readouts.Add(Sample(branch, index, isGuess: true));
            step.GuessCount++;
        }
    }

    private static int OutputCount(Branch branch, int model)
    {
        var (start, end) = (branch.ComputedTokens(model), branch.Step.End[model]);
        if (end == 0) return 0;
        if (branch.Step.Scores) return Math.Max(0, end - Math.Max(start, branch.PromptScores.First!.Value - 1));
        var firstOutput = branch.ContextOf(model).PromptTokens + branch.DecidedTokens - 1;
        return branch.Request.MaxTokens == 0 ? 0 : Math.Max(0, end - Math.Max(start, firstOutput));
    }

    /// <summary>A readout for each token of the prompt that follows one of the row's.</summary>
    private void AddScores(Branch branch)
    {
        var step = branch.Step;
        var first = branch.Strengths.ActiveModels[0];
        var (start, end) = (step.End[first] - step.Outputs[first], Math.Min(step.End[first], branch.Main.PromptTokens - 1));
        for (var position = start; position < end; position++)
        {
            var sources = Sources(branch.Strengths.ActiveModels.Length);
            for (var i = 0; i < sources.Length; i++)
                sources[i] = LogitSource.Of(step.Row[branch.Strengths.ActiveModels[i]], position - start);
            var (token, sweep) = (branch.Main[position + 1], branch.Request.Scoring?.Strengths);
            _readouts.Add(new Readout
            {
                Branch = branch.Id,
                Strengths = branch.Strengths,
                Sources = sources,
                Score = sweep is null ? new ScoredToken(token, branch.Request.PromptLogProbs!.Value) : null,
                Sweep = sweep is null ? null : new SweptToken(token, sweep),
            });
            step.ScoreCount++;
        }
    }

    private Readout Sample(Branch branch, int index, bool isGuess)
    {
        var active = branch.Strengths.ActiveModels;
        var sources = Sources(active.Length);
        for (var i = 0; i < sources.Length; i++) sources[i] = Source(branch, active[i], index);
        var position = branch.Main.PromptTokens + index;
        return new Readout
        {
            Branch = branch.Id,
            Strengths = branch.StrengthsAt(index),
            Sources = sources,
            Sampling = new SamplingRow
            {
                Parameters = branch.Request.Sampling,
                NoiseKey = GumbelNoise.Key(branch.Request.Seed, branch.Request.ChoiceIndex, branch.Stream, position),
                History = branch.Main.Tokens[..position],
                PromptTokens = branch.Main.PromptTokens,
                LogProbs = isGuess ? null : branch.Request.LogProbs,
                Measures = isGuess ? null : branch.Request.Measures,
            },
        };
    }

    /// <summary>The next readout's array.</summary>
    private LogitSource[] Sources(int count)
    {
        var place = _readouts.Count;
        if (place == _sources.Count) _sources.Add(new LogitSource[count]);
        return _sources[place].Length == count ? _sources[place] : _sources[place] = new LogitSource[count];
    }

    private static LogitSource Source(Branch branch, int model, int index)
    {
        var step = branch.Step;
        if (step.LastRow[model] < index) return LogitSource.Unknown;
        var firstOutput = step.LastRow[model] - step.Outputs[model] + 1;
        return step.End[model] > 0 && index >= firstOutput
            ? LogitSource.Of(step.Row[model], index - firstOutput)
            : LogitSource.Kept(branch.SlotOf(model, index));
    }

    /// <summary>Whether any model knows an output index.</summary>
    private static bool IsKnown(Branch branch, int index)
    {
        foreach (var model in branch.Strengths.ActiveModels)
            if (branch.Step.LastRow[model] >= index) return true;
        return false;
    }
}
