namespace DeRa.Lab.Data;

/// <summary>
/// Recognises stories by their letters alone, so that neither punctuation, capitals nor where a story was thought to begin can hide
/// one. Letters count from a story's beginning in stretches of 120.
/// </summary>
internal sealed class SharedLetters
{
    private const int Stretch = 120;

    private readonly HashSet<string> _stretches = new(StringComparer.Ordinal);

    /// <summary>Remembers a story.</summary>
    public void Add(string story)
    {
        var letters = Letters(story);
        for (var at = 0; at + Stretch <= letters.Length; at += Stretch) _stretches.Add(letters.Substring(at, Stretch));
    }

    /// <summary>Whether a stretch of a story that was added stands anywhere in this one.</summary>
    public bool AreIn(string story)
    {
        var letters = Letters(story);
        var known = _stretches.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var at = 0; at + Stretch <= letters.Length; at++)
            if (known.Contains(letters.AsSpan(at, Stretch))) return true;
        return false;
    }

    private static string Letters(string story) => new([.. story.Where(char.IsAsciiLetter).Select(char.ToLowerInvariant)]);
}
