using System.Text;

namespace DeRa.Engine.Streaming;

/// <summary>
/// Finds stop strings in text that arrives in pieces. Holds back any ending that may begin a stop string, so that the
/// text released does not depend on how it was cut. Linear in the text's length. Owned by one thread at a time.
/// </summary>
public sealed class StopStringMatcher
{
    private readonly Pattern[] _patterns;
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
        _includeStop = includeStop;
        _patterns = [.. stopStrings.Select(stop => new Pattern(stop))];
    }

    /// <summary>
    /// The stop string that was found, or null: the one whose end comes first; of two that end together the longer.
    /// </summary>
    public string? Matched { get; private set; }

    /// <summary>Takes more text and returns what is certain to lie before any stop string; after a match always empty.</summary>
    /// <param name="text">The next piece; may be empty.</param>
    /// <param name="mayEnd">Whether a stop string that ends in this piece counts.</param>
    public string Append(string text, bool mayEnd = true)
    {
        if (_patterns.Length == 0) return text;
        var released = new StringBuilder();
        for (var i = 0; i < text.Length && Matched is null; i++) Take(text[i], mayEnd, released);
        return released.ToString();
    }

    /// <summary>Returns what was held back: the text has ended without completing a stop string.</summary>
    public string Finish()
    {
        var rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    private void Take(char next, bool mayEnd, StringBuilder released)
    {
        _held.Append(next);
        var mayBegin = 0;
        foreach (var pattern in _patterns)
        {
            if (pattern.Advance(next) && mayEnd && pattern.Text.Length > (Matched?.Length ?? 0)) Matched = pattern.Text;
            mayBegin = Math.Max(mayBegin, pattern.Begun);
        }
        if (Matched is null) Release(_held.Length - mayBegin, released);
        else End(Matched, released);
    }

    private void End(string stopString, StringBuilder released)
    {
        Release(_includeStop ? _held.Length : _held.Length - stopString.Length, released);
        _held.Clear();
    }

    private void Release(int length, StringBuilder released)
    {
        released.Append(_held, 0, length);
        _held.Remove(0, length);
    }

    /// <summary>One stop string as a Knuth–Morris–Pratt automaton.</summary>
    private sealed class Pattern
    {
        private readonly int[] _fallback;
        public Pattern(string text)
        {
            Text = text;
            _fallback = new int[text.Length + 1];
            for (var i = 1; i < text.Length; i++) _fallback[i + 1] = Next(_fallback[i], text[i]);
        }

        public string Text { get; }

        /// <summary>How much of the stop string, short of all of it, the text ends with.</summary>
        public int Begun { get; private set; }

        /// <summary>Takes a character and returns whether the text now ends with the stop string.</summary>
        public bool Advance(char next)
        {
            Begun = Next(Begun, next);
            if (Begun < Text.Length) return false;
            Begun = _fallback[Begun];
            return true;
        }

        private int Next(int matched, char next)
        {
            while (matched > 0 && Text[matched] != next) matched = _fallback[matched];
            return Text[matched] == next ? matched + 1 : matched;
        }
    }
}
