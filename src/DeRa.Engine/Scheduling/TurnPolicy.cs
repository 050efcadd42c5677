using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Says which runners go in a step: all of them, or each in turn, so that guesses drawn from one model's logits are checked by the next
/// model's pass. Runners on different devices go together always, since their passes overlap. Engine thread only.
/// </summary>
internal sealed class TurnPolicy
{
    private readonly Speculation _speculation;
    private readonly int[] _runnerOfModel;
    private readonly int _runners;
    private readonly bool _canTakeTurns;
    private readonly TokenTimes _times = new();
    private int _last;
    private int _branches;
    private int _mixed;

    /// <param name="speculation">What the operator wants.</param>
    /// <param name="limits">The runners.</param>
    public TurnPolicy(Speculation speculation, ExecutorLimits limits)
    {
        (_speculation, _runners, _runnerOfModel) = (speculation, limits.Runners.Count, StepBuilder.RunnerOfModel(limits));
        _last = _runners - 1;
        _canTakeTurns = _runners > 1 && limits.Runners.All(runner => runner.Device == limits.Runners[0].Device);
    }

    /// <summary>The turn of the next step.</summary>
    /// <param name="running">The branches; what their models can run is known.</param>
    public Turn Next(IReadOnlyList<Branch> running)
    {
        var (together, mixed) = (false, 0);
        foreach (var branch in running)
        {
            together |= branch.RunsTogether;
            if (IsMixed(branch)) mixed++;
        }
        (_branches, _mixed) = (running.Count, mixed);
        var guesses = _speculation switch
        {
            Speculation.On => true,
            Speculation.Off => false,
            _ => _times.Speculates(_branches, _mixed),
        };
        if (!guesses || !_canTakeTurns || together) return new Turn(null, guesses);
        for (var i = 1; i <= _runners; i++)
        {
            var runner = (_last + i) % _runners;
            if (!HasWork(running, runner)) continue;
            _last = runner;
            return new Turn(runner, true);
        }
        return new Turn(null, true);
    }

    /// <summary>Learns what the last step took, in which every row decoded.</summary>
    /// <param name="guesses">Whether it was one with guesses.</param>
    /// <param name="tokens">Tokens that were decided in it.</param>
    /// <param name="took">Its time.</param>
    public void Learn(bool guesses, int tokens, TimeSpan took)
    {
        if (_speculation == Speculation.Auto) _times.Add(guesses, _branches, _mixed, tokens, took);
    }

    private bool IsMixed(Branch branch)
    {
        var active = branch.Strengths.ActiveModels;
        for (var i = 1; i < active.Length; i++)
            if (_runnerOfModel[active[i]] != _runnerOfModel[active[0]]) return true;
        return false;
    }

    private bool HasWork(IReadOnlyList<Branch> running, int runner)
    {
        foreach (var branch in running)
            foreach (var model in branch.Strengths.ActiveModels)
                if (_runnerOfModel[model] == runner && branch.Step.Ready[model] > 0) return true;
        return false;
    }
}
