namespace DeRa.Engine.Scheduling;

/// <summary>Which runners go in a step.</summary>
/// <param name="Runner">Index into <see cref="ExecutorLimits.Runners"/>; null = all of them.</param>
/// <param name="Guesses">Whether tokens that are not decided yet are guessed, for the next turns to check.</param>
internal readonly record struct Turn(int? Runner, bool Guesses)
{
    /// <summary>Whether a runner goes.</summary>
    public bool Includes(int runner) => Runner is null || Runner == runner;
}
