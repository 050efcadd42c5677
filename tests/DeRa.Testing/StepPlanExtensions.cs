using DeRa.Engine.Scheduling;

namespace DeRa.Testing;

public static class StepPlanExtensions
{
    /// <summary>The rows of all passes, pass after pass.</summary>
    public static IEnumerable<PassRow> Rows(this StepPlan plan) => plan.Passes.SelectMany(pass => pass.Rows);

    /// <summary>The first readout that matches; null where none does.</summary>
    public static Readout? Find(this StepPlan plan, Func<Readout, bool> matches)
    {
        foreach (var readout in plan.Readouts)
            if (matches(readout)) return readout;
        return null;
    }
}
