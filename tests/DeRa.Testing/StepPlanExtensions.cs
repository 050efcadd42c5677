using DeRa.Engine.Scheduling;

namespace DeRa.Testing;

public static class StepPlanExtensions
{
    /// <summary>The rows of all passes, pass after pass.</summary>
    public static IEnumerable<PassRow> Rows(this StepPlan plan) => plan.Passes.SelectMany(pass => pass.Rows);
}
