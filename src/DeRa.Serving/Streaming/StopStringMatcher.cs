using System.Text;

namespace DeRa.Serving.Streaming;

/// <summary>
/// Finds stop strings in text that arrives in pieces: in the visible text, and in the same with its hidden special tokens
/// written out, of which a stop string takes whole ones only. Holds back any ending that may begin a stop string, so that the
/// text released does not depend on how it was split. Linear in the text's length. Owned by one thread at a time.
/// </summary>
internal sealed class StopStringMatcher
{
    private readonly StopStringSearch _visible;
    private readonly StopStringSearch _expanded;
    private readonly bool _hasStops;
    private readonly bool _includeStop;
    private readonly StringBuilder _held = new();

    /// <summary>Starts at the beginning of a text.</summary>
    /// <param name="stopStrings">The stop strings; none may be empty. No stop strings: all text is released at once.</param>
    /// <param name="includeStop">Whether the stop string that is found is released too.</param>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public StopStringMatcher(IReadOnlyList<string> stopStrings, bool includeStop = false)
    {
        if (stopStrings.Any(string.IsNullOrEmpty))
            throw new ArgumentException("stop: an empty stop string matches everywhere", nameof(stopStrings));
        (_hasStops, _includeStop) = (stopStrings.Count > 0, includeStop);
        (_visible, _expanded) = (new StopStringSearch(stopStrings), new StopStringSearch(stopStrings));
    }

    /// <summary>
    /// The stop string that was found, or null: the one whose end comes first; of two that end together the longer.
    /// </summary>
    public string? Matched { get; private set; }

    /// <summary>Where the text that was taken ends.</summary>
    internal StreamPosition End { get; private set; }

    /// <summary>
    /// What lies before this position is certain: text before it is released, tokens before it are not part of a stop string that is
    /// left out.
    /// </summary>
    internal StreamPosition Certain { get; private set; }

    /// <summary>Where a stop string begins that was released with the text of hidden tokens in it; null where none was.</summary>
    internal StreamPosition? ShownFrom { get; private set; }

    /// <summary>Takes more text and returns what is certain to lie before any stop string; after a match always empty.</summary>
    /// <param name="text">The next piece; may be empty.</param>
    /// <param name="mayEnd">Whether a stop string that ends in this piece counts.</param>
    public string Append(string text, bool mayEnd = true)
    {
        if (!_hasStops)
        {
            Certain = End = new StreamPosition(End.Visible + text.Length, End.Expanded + text.Length);
            return text;
        }
        var released = new StringBuilder();
        for (var i = 0; i < text.Length && Matched is null; i++)
        {
            _held.Append(text[i]);
            var inVisible = _visible.Take(text[i], End, mayEnd);
            var inExpanded = _expanded.Take(text[i], End, mayEnd);
            End = new StreamPosition(End.Visible + 1, End.Expanded + 1);
            Settle(inExpanded?.Text.Length > (inVisible?.Text.Length ?? 0) ? inExpanded : inVisible, released);
        }
        return released.ToString();
    }

    /// <summary>Takes a token that adds nothing to the visible text; returns what <see cref="Append"/> does.</summary>
    /// <param name="token">The token's text, as stop strings may contain it; not empty.</param>
    /// <param name="mayEnd">Whether a stop string that ends with it counts.</param>
    public string AppendHidden(string token, bool mayEnd = true)
    {
        var released = new StringBuilder();
        if (!_hasStops) Certain = End = End with { Expanded = End.Expanded + token.Length };
        for (var i = 0; i < token.Length && _hasStops && Matched is null; i++)
        {
            var found = _expanded.Take(token[i], End with { IsInsideToken = i > 0 }, mayEnd && i == token.Length - 1);
            End = End with { Expanded = End.Expanded + 1 };
            Settle(found, released);
        }
        return released.ToString();
    }

    /// <summary>Returns what was held back: the text has ended without completing a stop string.</summary>
    public string Finish()
    {
        var rest = _held.ToString();
        _held.Clear();
        if (Matched is null) Certain = End;
        return rest;
    }

    /// <summary>Releases what lies before a stop string that was found, else before any that has begun.</summary>
    private void Settle(StopStringMatch? found, StringBuilder released)
    {
        Certain = found?.Start ?? Earlier(_visible.FirstBegun ?? End, _expanded.FirstBegun ?? End);
        var length = _held.Length - (End.Visible - Certain.Visible);
        released.Append(_held, 0, length);
        _held.Remove(0, length);
        if (found is null) return;
        Matched = found.Text;
        _held.Clear();
        if (!_includeStop) return;
        released.Append(found.Text);
        if (End.Expanded - found.Start.Expanded == found.Text.Length) ShownFrom = found.Start;
        Certain = End;
    }

    private static StreamPosition Earlier(StreamPosition one, StreamPosition other) => one.Expanded < other.Expanded ? one : other;
}
