namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>What becomes of the stretches that a pattern matched.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring ones are one piece.</summary>
    Contiguous,
}

/// <summary>Splits a text at the matches of a pattern. Source: <c>SplitDelimiterBehavior</c> of huggingface/tokenizers.</summary>
internal static class PieceSplitter
{
    private readonly record struct Stretch(int Start, int End, bool IsMatch);

    /// <summary>Splits a piece; empty pieces are left out.</summary>
    /// <param name="piece">What to split.</param>
    /// <param name="matches">Start and end of each match, in order, not overlapping.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">Swaps the roles of the matches and of what lies between them.</param>
    public static IEnumerable<TextPiece> Split(
        TextPiece piece, IEnumerable<(int Start, int End)> matches, SplitBehavior behavior, bool invert = false)
    {
        var stretches = Cover(matches, piece.Text.Length, invert);
        return from stretch in Join(stretches, behavior)
               where stretch.End > stretch.Start
               select piece with { Text = piece.Text[stretch.Start..stretch.End], AtStart = piece.AtStart && stretch.Start == 0 };
    }

    private static IEnumerable<Stretch> Cover(IEnumerable<(int Start, int End)> matches, int length, bool invert)
    {
        var end = 0;
        foreach (var match in matches)
        {
            if (match.Start > end) yield return new Stretch(end, match.Start, invert);
            yield return new Stretch(match.Start, match.End, !invert);
            end = match.End;
        }
        if (end < length) yield return new Stretch(end, length, invert);
    }

    private static IEnumerable<Stretch> Join(IEnumerable<Stretch> stretches, SplitBehavior behavior) => behavior switch
    {
        SplitBehavior.Removed => stretches.Where(stretch => !stretch.IsMatch),
        SplitBehavior.Isolated => stretches,
        SplitBehavior.MergedWithPrevious => JoinWhere(stretches, (before, next) => next.IsMatch && !before.IsMatch),
        SplitBehavior.MergedWithNext => JoinWhere(stretches, (before, next) => before.IsMatch && !next.IsMatch),
        _ => JoinWhere(stretches, (before, next) => before.IsMatch == next.IsMatch),
    };

    /// <summary>Joins a stretch to its predecessor where the two, as they were before any joining, ask for it.</summary>
    private static IEnumerable<Stretch> JoinWhere(IEnumerable<Stretch> stretches, Func<Stretch, Stretch, bool> joins)
    {
        Stretch? before = null;
        var start = 0;
        foreach (var next in stretches)
        {
            if (before is { } previous && !joins(previous, next))
            {
                yield return previous with { Start = start };
                start = next.Start;
            }
            else if (before is null)
            {
                start = next.Start;
            }
            before = next;
        }
        if (before is { } last) yield return last with { Start = start };
    }
}
