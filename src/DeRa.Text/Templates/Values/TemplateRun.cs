namespace DeRa.Text.Templates.Values;

/// <summary>One rendering: counts what it does against the limits. Owned by one thread.</summary>
internal sealed class TemplateRun(TemplateLimits limits, TimeProvider time)
{
    private const int CharactersPerStep = 64;

    private long _charactersLeft = (long)limits.Steps * CharactersPerStep;
    private int _depth;

    /// <summary>The line last entered, for errors.</summary>
    public int Line { get; private set; } = 1;

    public TimeProvider Time { get; } = time;

    /// <summary>Begins to evaluate a part of the template; <see cref="Leave"/> ends it. An error ends the whole run.</summary>
    public void Enter(int line)
    {
        Line = line;
        Descend();
    }

    /// <summary>Goes one level into a value; <see cref="Leave"/> comes back.</summary>
    public void Descend()
    {
        Count(1);
        if (++_depth > limits.Depth) throw new ChatTemplateException($"nests more than {limits.Depth} levels deep");
    }

    public void Leave() => _depth--;

    /// <summary>Counts work on as many items.</summary>
    public void Count(long items) => CountText(Math.Min(items, long.MaxValue / CharactersPerStep) * CharactersPerStep);

    /// <summary>Counts reading or writing as many characters.</summary>
    public void CountText(long characters)
    {
        // A length below zero makes no text, and must not give work back either.
        _charactersLeft -= Math.Max(0, Math.Min(characters, _charactersLeft + 1));
        if (_charactersLeft < 0) throw new ChatTemplateException($"takes more than {limits.Steps} steps");
    }

    /// <summary>Counts looking for a part in a text, which may read much of the part again at every place.</summary>
    public void CountSearch(string text, string part) => CountText(text.Length * (1L + part.Length / CharactersPerStep));

    /// <summary>Must be asked before a text grows to that length.</summary>
    public void CheckLength(long characters)
    {
        if (characters > limits.Characters) throw new ChatTemplateException($"makes a text of more than {limits.Characters} characters");
    }

    /// <summary>Must be asked before a text of that length is made.</summary>
    public void Reserve(long characters)
    {
        CheckLength(characters);
        CountText(characters);
    }
}
