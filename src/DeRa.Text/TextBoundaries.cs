using System.Buffers;

namespace DeRa.Text;

/// <summary>Places in a text across which no special token is read: offsets between UTF-16 units, ascending.</summary>
internal sealed class TextBoundaries
{
    private static readonly SearchValues<char> PrivateUse =
        SearchValues.Create([.. Enumerable.Range(0xE000, 0xF900 - 0xE000).Select(c => (char)c)]);

    private readonly int[] _offsets;

    private TextBoundaries(int[] offsets) => _offsets = offsets;

    public static TextBoundaries None { get; } = new([]);

    /// <exception cref="ArgumentException">An offset does not lie inside the text or after the one before it.</exception>
    public static TextBoundaries Read(IReadOnlyList<int> offsets, int textLength)
    {
        var before = 0;
        foreach (var offset in offsets)
        {
            if (offset <= before || offset >= textLength)
                throw new ArgumentException($"boundaries must ascend within 1 to {textLength - 1}, but {offset} follows {before}",
                    nameof(offsets));
            before = offset;
        }
        return offsets.Count == 0 ? None : new TextBoundaries([.. offsets]);
    }

    /// <summary>Whether one lies strictly inside the stretch, or at the end of one that is a single character.</summary>
    public bool Split(int start, int end)
    {
        var next = FirstAfter(start);
        return next < _offsets.Length && (_offsets[next] < end || (_offsets[next] == end && end - start == 1));
    }

    /// <summary>Those strictly inside the stretch, counted from its start.</summary>
    public TextBoundaries Within(int start, int end)
    {
        var first = FirstAfter(start);
        var last = first;
        while (last < _offsets.Length && _offsets[last] < end) last++;
        return first == last ? None : new TextBoundaries(Array.ConvertAll(_offsets[first..last], offset => offset - start));
    }

    /// <summary>
    /// The same places in the text's normalized form; null where normalization joins what lies on both sides of one.
    /// </summary>
    /// <param name="text">The text whose places these are.</param>
    /// <param name="normalized">Its normalized form.</param>
    /// <param name="normalize">Normalizes any text.</param>
    public TextBoundaries? Follow(string text, string normalized, Func<string, string> normalize)
    {
        if (_offsets.Length == 0 || text == normalized) return this;
        if (FindUnused(text + normalized) is not { } sentinel) return null;
        var withSentinels = normalize(Insert(text, sentinel));
        if (withSentinels.Replace(sentinel.ToString(), "", StringComparison.Ordinal) != normalized) return null;
        var moved = new List<int>(_offsets.Length);
        for (var at = withSentinels.IndexOf(sentinel); at >= 0; at = withSentinels.IndexOf(sentinel, at + 1)) moved.Add(at - moved.Count);
        return new TextBoundaries([.. moved]);
    }

    private int FirstAfter(int offset)
    {
        var found = Array.BinarySearch(_offsets, offset + 1);
        return found < 0 ? ~found : found;
    }

    private string Insert(string text, char sentinel)
    {
        var withSentinels = new char[text.Length + _offsets.Length];
        var done = 0;
        for (var i = 0; i < _offsets.Length; i++)
        {
            text.AsSpan(done.._offsets[i]).CopyTo(withSentinels.AsSpan(done + i));
            withSentinels[_offsets[i] + i] = sentinel;
            done = _offsets[i];
        }
        text.AsSpan(done).CopyTo(withSentinels.AsSpan(done + _offsets.Length));
        return new string(withSentinels);
    }

    /// <summary>A character that normalizes to itself beside any other, and that the text lacks.</summary>
    private static char? FindUnused(string text)
    {
        if (!text.AsSpan().ContainsAny(PrivateUse)) return '\uE000';
        var used = text.ToHashSet();
        for (var c = '\uE000'; c < '\uF900'; c++)
            if (!used.Contains(c)) return c;
        return null;
    }
}
