namespace DeRa.Engine.Requests;

/// <summary>
/// Strengths that depend on how many tokens have been generated: a function of the output index alone. Immutable, equal by value; any
/// thread.
/// </summary>
public abstract record StrengthSchedule
{
    /// <summary>The mixture from which an output token is drawn.</summary>
    /// <param name="index">The token's output index, at least 0; it may be beyond all that is generated.</param>
    public abstract AlignmentStrengths At(int index);

    /// <summary>Refuses a schedule of weights that are no finite numbers, or that are for models that are not there.</summary>
    /// <param name="modelCount">Models of the pair, the reference too.</param>
    /// <exception cref="ArgumentException">It cannot be followed.</exception>
    internal abstract void CheckFor(int modelCount);
}
