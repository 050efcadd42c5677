using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// How many of a sequence's tokens lie in the caches, and in which models' caches: a model that weighed nothing in a step has
/// nothing of it. Engine thread only.
/// </summary>
internal sealed class CachedPrefix
{
    private AlignmentStrengths? _latest;
    private HashSet<int> _members = [];

    /// <summary>Tokens that every model in use has in its cache.</summary>
    public int Length { get; private set; }

    /// <summary>A row of the sequence has run.</summary>
    public void Add(StepRow row)
    {
        Length += row.Tokens.Length;
        if (row.Position > 0 && ReferenceEquals(row.Strengths, _latest)) return;
        if (row.Position == 0) _members = [.. row.Strengths.Members];
        else _members.IntersectWith(row.Strengths.Members);
        _latest = row.Strengths;
    }

    /// <summary>
    /// The models that weigh anything from now on. Where one of them lacks tokens, all are run again from the first: what the
    /// others have is then written once more, the same.
    /// </summary>
    public void Require(AlignmentStrengths strengths)
    {
        if (!strengths.Members.All(_members.Contains)) Length = 0;
    }
}
