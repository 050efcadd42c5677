namespace DeRa.Lab.Data;

/// <summary>
/// What the default pair learns from: the stories of several TinyStories files, cleaned, each once, and none that is held out.
/// </summary>
internal sealed class StoryTexts
{
    private StoryTexts(StoryCounts counts, IReadOnlyList<string> training, IReadOnlyList<string> heldOut) =>
        (Counts, Training, HeldOut) = (counts, training, heldOut);

    /// <summary>How many stories the training files have, and why some were dropped.</summary>
    public StoryCounts Counts { get; }

    /// <summary>Stories to learn from: those of files with capitals first.</summary>
    public IReadOnlyList<string> Training { get; }

    /// <summary>Stories to measure with, cleaned the same way.</summary>
    public IReadOnlyList<string> HeldOut { get; }

    /// <summary>Reads the files.</summary>
    /// <param name="training">Files as <see cref="StoryFile.Read"/> reads them.</param>
    /// <param name="heldOut">One such file.</param>
    /// <exception cref="LabException">A file has too few stories, or nothing remains.</exception>
    public static StoryTexts Read(IEnumerable<string> training, string heldOut)
    {
        // Where a story is in two files, the one with capitals is kept.
        var files = training.Select(StoryFile.Read).Append(StoryFile.Read(heldOut)).Select(Cleaned).ToArray();
        var recasing = new Recasing(files[..^1].Where(file => !file.IsLowerCase).SelectMany(file => file.Stories));
        var (heldOutCounts, trainingCounts) = (new StoryCounts(), new StoryCounts());
        var (heldOutLetters, letters) = (new SharedLetters(), new SharedLetters());
        string[] measured = [.. Stories(files[^1], recasing, story => Unread(story, heldOutLetters), heldOutCounts)];
        string[] learned = [.. files[..^1].OrderBy(file => file.IsLowerCase).SelectMany(file => Stories(file, recasing,
            story => heldOutLetters.AreIn(story) ? StoryFault.HeldOut : Unread(story, letters), trainingCounts))];
        return learned.Length > 0 && measured.Length > 0 ? new StoryTexts(trainingCounts, learned, measured)
            : throw new LabException($"No story remains to {(learned.Length > 0 ? "be held out" : "learn from")}: "
                + (learned.Length > 0 ? heldOutCounts : trainingCounts));
    }

    private static StoryFile Cleaned(StoryFile file) => file with { Stories = [.. file.Stories.Select(StoryCleaning.Clean)] };

    private static IEnumerable<string> Stories(
        StoryFile file, Recasing recasing, Func<string, StoryFault?> among, StoryCounts counts)
    {
        counts.Add(StoryFault.Truncated, file.Parts);
        foreach (var cleaned in file.Stories)
        {
            var story = file.IsLowerCase ? recasing.Apply(cleaned) : cleaned;
            StoryFault? unknown = file.IsLowerCase && !recasing.KnowsWordsOf(cleaned) ? StoryFault.UnknownWords : null;
            var fault = StoryFaults.Of(story) ?? unknown ?? among(story);
            counts.Add(fault);
            if (fault is null) yield return story;
        }
    }

    private static StoryFault? Unread(string story, SharedLetters letters)
    {
        if (letters.AreIn(story)) return StoryFault.Duplicate;
        letters.Add(story);
        return null;
    }
}
