namespace DeRa.Engine;

/// <summary>How much the engine does at once and lets wait.</summary>
public sealed record EngineOptions
{
    /// <summary>Sequences that run at once; [1, 4096]. Default 64.</summary>
    public int MaxRunningSequences { get; init; } = 64;

    /// <summary>Tokens that one step runs, decoding rows first; [<see cref="MaxRunningSequences"/>, 1,048,576]. Default 512.</summary>
    public int MaxBatchTokens { get; init; } = 512;

    /// <summary>Sequences that may wait; [1, 1,048,576]. Default 1024.</summary>
    public int MaxQueuedSequences { get; init; } = 1024;

    /// <summary>Prompt tokens that may wait; at least 1. Default 4,194,304.</summary>
    public long MaxQueuedTokens { get; init; } = 4_194_304;

    /// <summary>The name of what is served, with which measurements are labelled.</summary>
    public string ModelName { get; init; } = "";

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the option, its value and its range.</exception>
    public EngineOptions Validated()
    {
        Check(nameof(MaxRunningSequences), MaxRunningSequences, 1, 4096);
        Check(nameof(MaxBatchTokens), MaxBatchTokens, MaxRunningSequences, 1 << 20);
        Check(nameof(MaxQueuedSequences), MaxQueuedSequences, 1, 1 << 20);
        Check(nameof(MaxQueuedTokens), MaxQueuedTokens, 1, long.MaxValue);
        return this;
    }

    private static void Check(string name, long value, long low, long high)
    {
        if (value < low || value > high)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must lie in [{low}, {high}].");
    }
}
