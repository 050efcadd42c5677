using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// How many of a sequence's tokens lie in each model's cache: a model that weighs nothing in a step gets nothing of it, and keeps
/// what it has, since decided tokens never change. Engine thread only.
/// </summary>
internal sealed class CachedPrefix
{
    // What models had when strengths last changed.
    private readonly Dictionary<int, int> _lengths = [];

    /// <summary>Tokens that every model in use has in its cache.</summary>
    public int Length { get; private set; }

    /// <summary>A row of the sequence has run.</summary>
    public void Add(int tokens) => Length += tokens;

    /// <summary>What <see cref="Length"/> would be after a <see cref="Change"/>.</summary>
    public int LengthAfter(AlignmentStrengths before, AlignmentStrengths after) =>
        after.ActiveModels.Min(member => LengthOf(member, before));

    /// <summary>
    /// Other models weigh something from now on. All of them run from the first token on that one of them lacks: what the others
    /// have is then written once more, the same.
    /// </summary>
    /// <param name="before">The strengths of the rows so far.</param>
    /// <param name="after">Those of the rows that follow.</param>
    public void Change(AlignmentStrengths before, AlignmentStrengths after)
    {
        var length = LengthAfter(before, after);
        foreach (var member in before.ActiveModels) _lengths[member] = LengthOf(member, before);
        Length = length;
    }

    private int LengthOf(int member, AlignmentStrengths before)
    {
        var known = _lengths.GetValueOrDefault(member);
        return before.IsActive(member) ? Math.Max(known, Length) : known;
    }
}
