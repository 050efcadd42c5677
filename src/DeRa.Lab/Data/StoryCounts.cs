namespace DeRa.Lab.Data;

/// <summary>How many stories were read, and why some were dropped.</summary>
internal sealed class StoryCounts
{
    private readonly SortedDictionary<StoryFault, int> _dropped = [];

    /// <summary>All stories.</summary>
    public int Read { get; private set; }

    /// <summary>How many were dropped for a fault.</summary>
    public int Dropped(StoryFault fault) => _dropped.GetValueOrDefault(fault);

    /// <summary>Counts stories, with their fault or none.</summary>
    public void Add(StoryFault? fault, int stories = 1)
    {
        Read += stories;
        if (stories > 0 && fault is { } found) _dropped[found] = Dropped(found) + stories;
    }

    /// <summary>For example "120 stories read; dropped: 2 cut, 3 duplicates".</summary>
    public override string ToString() => $"{Read} stories read; dropped: "
        + (_dropped.Count == 0 ? "none" : string.Join(", ", _dropped.Select(entry => $"{entry.Value} {Describe(entry.Key)}")));

    private static string Describe(StoryFault fault) => fault switch
    {
        StoryFault.Truncated => "cut",
        StoryFault.Short => "short",
        StoryFault.Characters => "with characters beyond ASCII",
        StoryFault.Quotations => "with misplaced quotation marks",
        StoryFault.Sentences => "with broken sentences",
        StoryFault.Labels => "with labels",
        StoryFault.UnknownWords => "in lower case with unknown words",
        StoryFault.Duplicate => "duplicates",
        StoryFault.HeldOut => "held out",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "unknown"),
    };
}
