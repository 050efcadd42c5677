using DeRa.Text;

namespace DeRa.Serving.Streaming;

/// <summary>A stop string that was found.</summary>
/// <param name="Text">The stop string.</param>
/// <param name="Start">Where it begins.</param>
internal sealed record StopStringMatch(string Text, StreamPosition Start);

/// <summary>Searches one sequence of characters for several stop strings, a character at a time. Owned by one thread at a time.</summary>
internal sealed class StopStringSearch
{
    private readonly TextPattern[] _patterns;
    // Places of the last characters taken: as many as the longest stop string has.
    private readonly StreamPosition[] _places;
    private int _taken;
    private int _begun;

    public StopStringSearch(IReadOnlyList<string> stopStrings)
    {
        _patterns = [.. stopStrings.Select(stop => new TextPattern(stop))];
        _places = new StreamPosition[stopStrings.Select(stop => stop.Length).DefaultIfEmpty(1).Max()];
    }

    /// <summary>Where the earliest stop string begins that what follows may complete; null where none has begun.</summary>
    public StreamPosition? FirstBegun => _begun == 0 ? null : PlaceOfLast(_begun);

    /// <summary>Takes a character.</summary>
    /// <param name="next">The character.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="mayEnd">Whether a stop string may end with it.</param>
    /// <returns>The longest stop string that ends with it, or null.</returns>
    public StopStringMatch? Take(char next, StreamPosition place, bool mayEnd)
    {
        _places[_taken++ % _places.Length] = place;
        (StopStringMatch? match, _begun) = (null, 0);
        foreach (var pattern in _patterns)
        {
            if (pattern.Advance(next) && mayEnd && pattern.Text.Length > (match?.Text.Length ?? 0)
                && PlaceOfLast(pattern.Text.Length) is { IsInsideToken: false } start)
                match = new StopStringMatch(pattern.Text, start);
            _begun = Math.Max(_begun, pattern.Begun);
        }
        return match;
    }

    /// <summary>Where the last so many characters begin.</summary>
    private StreamPosition PlaceOfLast(int characters) => _places[(_taken - characters) % _places.Length];
}

/// <summary>A position in the text of a response, in UTF-16 units from its start.</summary>
/// <param name="Visible">Units of visible text before it.</param>
/// <param name="Expanded">Units before it where the text of hidden tokens counts too.</param>
/// <param name="IsInsideToken">Whether it lies within the text of a hidden token, where no stop string begins.</param>
internal readonly record struct StreamPosition(int Visible, int Expanded, bool IsInsideToken = false)
{
    /// <summary>Units of hidden tokens' text before it.</summary>
    public int Hidden => Expanded - Visible;
}
