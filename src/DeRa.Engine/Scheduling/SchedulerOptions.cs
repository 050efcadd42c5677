namespace DeRa.Engine.Scheduling;

/// <summary>How much the scheduler does at once.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>Branches that may run at once; at least 1.</summary>
    public required int MaxRunning { get; init; }

    /// <summary>Tokens a pass may run for each model; at least <see cref="MaxRunning"/>, so that every branch advances.</summary>
    public required int MaxBatchTokens { get; init; }

    /// <summary>How long a step may take that reads prompts.</summary>
    public TimeSpan LongestStep { get; init; } = TimeSpan.MaxValue;

    /// <summary>Whether the models take turns.</summary>
    public Speculation Speculation { get; init; }

    /// <summary>Whether blocks that nobody holds any more are kept.</summary>
    public bool KeepsBlocks { get; init; } = true;

    /// <summary>See <see cref="Branches.BlockNameComparer"/>.</summary>
    public int BlockHashBits { get; init; } = 32;
}
