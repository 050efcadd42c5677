using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeRa.Engine.Branches;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine;

/// <summary>How much the engine does at once and lets wait.</summary>
public sealed record EngineOptions
{
    /// <summary>Sequences that run at once.</summary>
    [Description("Sequences that run at once."), Range(1, 4096)]
    public int MaxRunning { get; init; } = 64;

    /// <summary>Tokens that one step runs, decoding rows first; at least <see cref="MaxRunning"/>.</summary>
    [Description("Tokens that one step runs; no fewer than the sequences that run at once."), Range(1, 1 << 20)]
    public int MaxBatchTokens { get; init; } = 512;

    /// <summary>Sequences that may wait.</summary>
    [Description("Sequences that may wait for a place; more are refused."), Range(1, 1 << 20)]
    public int MaxQueued { get; init; } = 1024;

    /// <summary>Prompt tokens that may wait.</summary>
    [Description("Prompt tokens that may wait; more are refused."), Range(1, 1 << 30)]
    public long MaxQueuedTokens { get; init; } = 4_194_304;

    /// <summary>Whether models guess tokens ahead for each other.</summary>
    [Description("Whether the models take turns and guess the next token for each other: on (wherever they can), off (all models run every "
        + "token in the same step) or auto (whichever is faster, as measured). It changes how fast tokens come, never which.")]
    public Speculation Speculation { get; init; } = Speculation.Auto;

    /// <summary>Whether what was computed of a text is kept, as long as there is room, for later requests that begin alike.</summary>
    [Description("Whether what was computed of a prompt is kept for later requests that begin alike, as long as the cache has room.")]
    public bool PrefixCache { get; init; } = true;

    /// <summary>How many bits of the hashes by which blocks are found count; fewer for tests.</summary>
    internal int BlockHashBits { get; init; } = 32;

    /// <summary>How long a step may take while it reads prompts, in milliseconds.</summary>
    [Description("How long a step may take in which prompts are read, in milliseconds; longer prompts are read in several, so that others "
        + "get their tokens meanwhile. Tokens that are generated are never held back for it."), Range(1, 60_000)]
    public int MaxStepMilliseconds { get; init; } = 200;

    /// <summary>The name of what is served, with which measurements are labelled.</summary>
    public string ModelName { get; init; } = "";

    /// <summary>
    /// Rows of logits that the engine keeps between steps where everything runs that may; with fewer, some sequences get no guesses.
    /// </summary>
    /// <param name="modelCount">Models of the pair.</param>
    public int LogitSlots(int modelCount) => MaxRunning * modelCount * Branch.RowsKept;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the option and its range.</exception>
    public EngineOptions Validated()
    {
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(this, new ValidationContext(this), faults, validateAllProperties: true))
            throw new ArgumentOutOfRangeException(faults[0].MemberNames.First(), faults[0].ErrorMessage);
        return MaxBatchTokens >= MaxRunning ? this : throw new ArgumentOutOfRangeException(
            nameof(MaxBatchTokens), MaxBatchTokens, $"{nameof(MaxBatchTokens)} must be at least {nameof(MaxRunning)}, {MaxRunning}.");
    }
}
