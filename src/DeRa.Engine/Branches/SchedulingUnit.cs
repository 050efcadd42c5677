namespace DeRa.Engine.Branches;

/// <summary>
/// Branches that begin to run, and go back to the queue, as one: a branch alone, or all of a group whose branches wait for each other.
/// Engine thread only.
/// </summary>
/// <param name="branches">At least one, of one request.</param>
internal sealed class SchedulingUnit(params IReadOnlyList<Branch> branches)
{
    /// <summary>After so many preemptions it runs only once all that it may need is its own, and then to its end.</summary>
    public const int MaxPreemptions = 2;

    /// <summary>Those that have not ended.</summary>
    public List<Branch> Branches { get; } = [.. branches];

    /// <summary>Lower ones go first within a client, and keep their blocks longest.</summary>
    public int Priority { get; } = branches[0].Request.Priority;

    /// <summary>Whose it is; set when it is enqueued.</summary>
    public Client Client { get; set; } = null!;

    /// <summary>When it came, as a running number; set when it is enqueued.</summary>
    public long Arrival { get; set; }

    /// <summary>How often it has gone back to the queue.</summary>
    public int Preemptions { get; set; }

    /// <summary>Whether it runs only with all that it may need, and to its end.</summary>
    public bool IsReserved => Preemptions >= MaxPreemptions;

    /// <summary>What decides between units: of a queue the first goes first, of those that run the last goes back first.</summary>
    public (int Priority, long Arrival) Order => (Priority, Arrival);
}
