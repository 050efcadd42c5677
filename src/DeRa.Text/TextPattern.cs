namespace DeRa.Text;

/// <summary>
/// Finds a text in another that arrives a character at a time, in time linear in both (Knuth, Morris and Pratt). Owned by one
/// thread at a time.
/// </summary>
public sealed class TextPattern
{
    private readonly int[] _fallback;

    /// <summary>Prepares a search.</summary>
    /// <param name="text">What is looked for; not empty.</param>
    public TextPattern(string text)
    {
        Text = text;
        _fallback = new int[text.Length + 1];
        for (var i = 1; i < text.Length; i++) _fallback[i + 1] = Next(_fallback[i], text[i]);
    }

    /// <summary>What is looked for.</summary>
    public string Text { get; }

    /// <summary>How much of <see cref="Text"/>, short of all of it, what was taken ends with.</summary>
    public int Begun { get; private set; }

    /// <summary>Takes a character and returns whether what was taken now ends with <see cref="Text"/>.</summary>
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
