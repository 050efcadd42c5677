using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Which of the running units goes back to the queue: the one with the largest priority number, of equal ones the last come. Never the
/// first in that order, so that one always goes on, and never one that has gone back twice. Engine thread only.
/// </summary>
internal static class Preemption
{
    /// <summary>The one that goes back where cache blocks have run out; null = none may.</summary>
    /// <param name="running">The branches that run.</param>
    public static SchedulingUnit? ForBlocks(IReadOnlyList<Branch> running) => Last(running, _ => true);

    /// <summary>
    /// The one that goes back so that another may begin whose client has less than its share of what is lacking, places in the batch or
    /// blocks: of a client that has more than its share. Null = none.
    /// </summary>
    /// <param name="next">Waits, and there is no room for it.</param>
    /// <param name="running">The branches that run.</param>
    /// <param name="clients">Clients of whom something waits or runs: each has the same share.</param>
    /// <param name="maxRunning">Places in the batch.</param>
    /// <param name="blockCount">Blocks in the cache.</param>
    /// <param name="blocks">The branches' blocks.</param>
    public static SchedulingUnit? ForShare(SchedulingUnit next, IReadOnlyList<Branch> running, int clients, int maxRunning, int blockCount,
        BranchBlocks blocks)
    {
        if (clients < 2) return null;
        var (places, shareOfBlocks) = (Math.Max(1, maxRunning / clients), blockCount / clients);
        CountBlocks(running, next.Client);
        var needed = next.Client.HeldBlocks;
        foreach (var branch in next.Branches)
            foreach (var context in branch.Contexts) needed += blocks.BlocksFor(context.PromptTokens + branch.DecidedTokens);
        if (next.Client.RunningBranches + next.Branches.Count > places || needed > shareOfBlocks) return null;
        return running.Count + next.Branches.Count > maxRunning
            ? Last(running, client => client.RunningBranches > places)
            : Last(running, client => client.HeldBlocks > shareOfBlocks);
    }

    private static SchedulingUnit? Last(IReadOnlyList<Branch> running, Predicate<Client> mayLose)
    {
        SchedulingUnit? first = null, last = null;
        foreach (var branch in running)
            if (first is null || branch.Unit.Order.CompareTo(first.Order) < 0) first = branch.Unit;
        foreach (var branch in running)
            if (branch.Unit != first && !branch.Unit.IsReserved && mayLose(branch.Unit.Client)
                && (last is null || branch.Unit.Order.CompareTo(last.Order) > 0)) last = branch.Unit;
        return last;
    }

    private static void CountBlocks(IReadOnlyList<Branch> running, Client next)
    {
        next.HeldBlocks = 0;
        foreach (var branch in running) branch.Unit.Client.HeldBlocks = 0;
        foreach (var branch in running)
            foreach (var context in branch.Contexts) branch.Unit.Client.HeldBlocks += context.Blocks.Count;
    }
}
