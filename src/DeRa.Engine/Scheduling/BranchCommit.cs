using DeRa.Engine.Branches;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>Takes a branch's part of a step's results: what was computed, scored, decided and guessed.</summary>
internal static class BranchCommit
{
    /// <summary>What a step has made of a branch.</summary>
    /// <param name="Decided">Tokens decided in it.</param>
    /// <param name="Decodes">Whether no model ran a chunk of its prompt.</param>
    /// <param name="Finish">Why it has ended; null where it goes on.</param>
    /// <param name="Error">What went wrong; null where nothing did.</param>
    public readonly record struct Outcome(int Decided, bool Decodes, FinishReason? Finish, string? Error);

    /// <summary>Takes the results, in the order of the branch's readouts.</summary>
    /// <param name="branch">A running branch.</param>
    /// <param name="result">The step's results.</param>
    /// <param name="now">When they came out.</param>
    /// <param name="observer">Told of tokens.</param>
    /// <param name="guesses">Whether the text itself may give guesses too.</param>
    public static Outcome Take(Branch branch, StepResult result, long now, ISchedulerObserver observer, bool guesses)
    {
        var decodes = Advance(branch);
        var at = branch.Step.FirstReadout;
        if (Score(branch, result, ref at) is { } fault) return new Outcome(0, decodes, null, fault);
        if (branch.Request.MaxTokens == 0)
        {
            if (branch.LackedTokens(branch.Strengths.ActiveModels[0]) > 0) return new Outcome(0, decodes, null, null);
            SetPromptRead(branch, observer);
            return new Outcome(0, decodes, FinishReason.Length, null);
        }
        var before = branch.DecidedTokens;
        var (finish, error, isRight) = Decide(branch, result, ref at, now, observer);
        var decided = branch.DecidedTokens - before;
        if (finish is null && error is null && isRight) Guess(branch, result, at);
        if (finish is null && error is null && guesses && branch.Request.Speculation) branch.ExtendGuesses();
        return new Outcome(decided, decodes, finish, error);
    }

    /// <summary>Moves each model on; counts passes that ran the next token or guesses.</summary>
    private static bool Advance(Branch branch)
    {
        var decodes = branch.DecidedTokens > 0;
        branch.DecodePasses += branch.Step.DecodePasses;
        foreach (var model in branch.Strengths.ActiveModels)
        {
            if (branch.Step.End[model] == 0) continue;
            decodes &= branch.IsDecoding(model);
            var last = branch.Step.LastRow[model];
            branch.Ran(model, branch.Step.End[model], last >= branch.DecidedTokens ? last : null);
        }
        return decodes;
    }

    private static string? Score(Branch branch, StepResult result, ref int at)
    {
        for (var i = 0; i < branch.Step.ScoreCount; i++)
        {
            var readout = result.Readouts[at++];
            if (readout.Error is { } error) return error;
            if (readout.Sweep is { } sweep) branch.PromptScores.Add(sweep);
            else branch.PromptScores.Add(readout.Score!);
        }
        if (branch.Step.Scores && branch.ComputedTokens(branch.Strengths.ActiveModels[0]) >= branch.Main.PromptTokens)
            branch.Events.Report(branch.PromptScores.Finish());
        return null;
    }

    /// <summary>Decides one token after the other, until one is another than was guessed: what follows stood on the guess.</summary>
    private static (FinishReason? Finish, string? Error, bool IsRight) Decide(
        Branch branch, StepResult result, ref int at, long now, ISchedulerObserver observer)
    {
        var (made, right) = (0, 0);
        (FinishReason? Finish, string? Error, bool IsRight) end = (null, null, true);
        for (var i = 0; i < branch.Step.DecisionCount; i++)
        {
            var readout = result.Readouts[at++];
            if (readout.Error is { } error)
            {
                end.Error = error;
                break;
            }
            SetPromptRead(branch, observer);
            if (readout.ReferenceDivergence is { } nats) observer.DivergenceMeasured(branch, nats);
            var index = branch.DecidedTokens;
            var guess = branch.Decide(readout.Token);
            if (guess is { } isRight)
            {
                branch.Guesses.Checked(index, isRight);
                (made, right) = (made + 1, right + (isRight ? 1 : 0));
            }
            Report(branch, readout, now, observer);
            end.Finish = Finish(branch, readout.Token);
            end.IsRight = guess != false;
            if (end.Finish is not null || guess != true && i + 1 < branch.Step.DecisionCount || !end.IsRight) break;
        }
        if (made > 0) observer.GuessesChecked(branch, made, right);
        return end;
    }

    /// <summary>Each guess takes the place of one that knew less; what follows a guess that changes is of no use.</summary>
    private static void Guess(Branch branch, StepResult result, int at)
    {
        for (var i = 0; i < branch.Step.GuessCount; i++)
        {
            var (index, readout) = (branch.Step.FirstGuess + i, result.Readouts[at + i]);
            if (readout.Error is not null) return;
            var isNew = index >= branch.DecidedTokens + branch.GuessedTokens;
            if (branch.Request.StopTokens.Contains(readout.Token))
            {
                branch.Truncate(index);
                return;
            }
            var changes = branch.Guess(index, readout.Token);
            if (!isNew) branch.Guesses.Checked(index, !changes);
            if (changes) return;
        }
    }

    private static void SetPromptRead(Branch branch, ISchedulerObserver observer)
    {
        if (branch.IsPromptRead) return;
        branch.SetPromptRead();
        observer.PromptRead(branch);
    }

    private static void Report(Branch branch, ReadoutResult readout, long now, ISchedulerObserver observer)
    {
        var before = branch.Clock.LastToken;
        branch.Clock.Token(now);
        branch.LogZ += readout.Measures?.LogZ ?? 0;
        branch.Events.Report(new TokenGenerated(readout.Token, readout.LogProbs) { Measures = readout.Measures });
        observer.Generated(branch, before);
    }

    private static FinishReason? Finish(Branch branch, int token) =>
        branch.Request.StopTokens.Contains(token) ? FinishReason.Stop
        : branch.DecidedTokens == branch.Request.MaxTokens ? FinishReason.Length : null;
}
