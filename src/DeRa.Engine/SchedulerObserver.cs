using DeRa.Engine.Admission;
using DeRa.Engine.Branches;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;

namespace DeRa.Engine;

/// <summary>Keeps the admission's counts, the branches' clocks and the metrics up to date with what the scheduler does.</summary>
internal sealed class SchedulerObserver(AdmissionGate gate, EngineMetrics metrics, TimeProvider time) : ISchedulerObserver
{
    public void Admitted(Branch branch)
    {
        gate.Leave(branch.Request.PromptTokens.Count, runs: true);
        branch.Clock.Admitted ??= time.GetTimestamp();
    }

    public void Preempted(Branch branch)
    {
        gate.GoBack(branch.Request.PromptTokens.Count);
        metrics.Preempted();
    }

    public void PromptRead(Branch branch) => metrics.PromptRead(branch);

    public void Forked(Branch branch) => gate.Join();

    public void Generated(Branch branch, long? before) => metrics.Generated(branch, before);

    public void GuessesChecked(Branch branch, int made, int right) => metrics.GuessesChecked(branch, made, right);

    public void DivergenceMeasured(Branch branch, double nats) => metrics.DivergenceMeasured(branch, nats);

    public void Ended(Branch branch, bool ran)
    {
        if (ran) gate.Finish();
        else gate.Leave(branch.Request.PromptTokens.Count, runs: false);
        branch.Clock.Ended = time.GetTimestamp();
        metrics.Ended(branch);
    }
}
