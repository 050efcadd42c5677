using DeRa.Engine.Requests;

namespace DeRa.Engine.Branches;

/// <summary>
/// The strengths that a branch follows: its request's, by a schedule where it has one, until they are changed while it runs; a change
/// holds for all that follows. Engine thread only.
/// </summary>
internal sealed class BranchStrengths
{
    private readonly List<AlignmentStrengths> _ofDecided = [];
    private readonly int? _allModels; // how many run, whatever they weigh; null = those that weigh anything
    private StrengthSchedule? _schedule;
    private AlignmentStrengths _reported;

    /// <summary>Those of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="modelCount">Models of the pair.</param>
    public BranchStrengths(GenerationRequest request, int modelCount)
    {
        _allModels = request.Measures is null ? null : modelCount;
        (_schedule, Now, _reported) = (request.Schedule, Running(request.Strengths), request.Strengths);
    }

    /// <summary>Those of a fork.</summary>
    public BranchStrengths(BranchStrengths other)
    {
        (_allModels, _schedule, Now, _reported) = (other._allModels, other._schedule, other.Now, other._reported);
        _ofDecided.AddRange(other._ofDecided);
    }

    /// <summary>Those of the next token.</summary>
    public AlignmentStrengths Now { get; private set; }

    /// <summary>Those of each decided token.</summary>
    public IReadOnlyList<AlignmentStrengths> OfDecided => _ofDecided;

    /// <summary>Those of a token that is not decided yet, as far as is known now.</summary>
    /// <param name="index">Its output index.</param>
    public AlignmentStrengths At(int index) => _schedule is null || index == _ofDecided.Count ? Now : Scheduled(index);

    /// <summary>
    /// One past the last output index at which the models weigh that weigh at the next token; at most a given one.
    /// </summary>
    public int SameModelsEnd(int most)
    {
        if (_schedule is null) return most;
        var index = _ofDecided.Count + 1;
        while (index < most && Scheduled(index).HasModelsOf(Now)) index++;
        return Math.Min(index, most);
    }

    /// <summary>Other strengths hold for all that follows.</summary>
    public void Change(AlignmentStrengths strengths) => (_schedule, Now, _reported) = (null, Running(strengths), strengths);

    /// <summary>The next token is decided.</summary>
    /// <returns>Its strengths, where they are others than its reader knows of; else null.</returns>
    public AlignmentStrengths? Decide()
    {
        var own = Now;
        _ofDecided.Add(own);
        if (_schedule is not null) Now = Scheduled(_ofDecided.Count);
        if (own.Equals(_reported)) return null;
        return _reported = own;
    }

    /// <summary>Decided tokens are dropped from an output index on.</summary>
    public void Truncate(int index)
    {
        _ofDecided.RemoveRange(index, _ofDecided.Count - index);
        if (_schedule is not null) Now = Scheduled(index);
    }

    private AlignmentStrengths Scheduled(int index) => Running(_schedule!.At(index));

    private AlignmentStrengths Running(AlignmentStrengths strengths) =>
        _allModels is { } count ? strengths.WithAllModels(count) : strengths;
}
