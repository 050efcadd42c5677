namespace DeRa.Engine.Branches;

/// <summary>Somebody whose sequences wait and run, and what was done for them. Engine thread only.</summary>
/// <param name="name">As requests name it.</param>
internal sealed class Client(string name)
{
    /// <summary>As requests name it.</summary>
    public string Name => name;

    /// <summary>
    /// Tokens that were run for it: of prompts as they were admitted, of outputs as they were decided. Never less than the smallest of
    /// the others had when it came back, so that nobody saves up.
    /// </summary>
    public long ChargedTokens { get; set; }

    /// <summary>Its units in the queue.</summary>
    public PriorityQueue<SchedulingUnit, (int Priority, long Arrival)> Waiting { get; } = new();

    /// <summary>Its branches that run.</summary>
    public int RunningBranches { get; set; }

    /// <summary>Whether anything of it waits or runs.</summary>
    public bool IsActive => RunningBranches > 0 || Waiting.Count > 0;

    /// <summary>Cache blocks that its branches hold, as they were counted last; one that several hold counts for each.</summary>
    public int HeldBlocks { get; set; }

    /// <summary>Prompt tokens that it has been given in the step that is being laid out.</summary>
    public int StepTokens { get; set; }
}
