using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Goes through tokens once, and keeps nesting within its limit.</summary>
internal sealed class TokenReader(IReadOnlyList<TemplateToken> tokens)
{
    private int _at;
    private int _depth;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public int Line => Current.Line;

    /// <summary>How many tokens were taken.</summary>
    public int Place => _at;

    /// <summary>The names among the tokens from a place on to the current one.</summary>
    public IReadOnlySet<string> NamesSince(int place) => tokens.Skip(place).Take(_at - place)
        .Where(token => token.Kind == TokenKind.Name).Select(token => token.Text).ToHashSet(StringComparer.Ordinal);

    public bool AtOperator(string sign) => Current.IsOperator(sign);

    public TemplateToken Take() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool TakeIfName(string name)
    {
        var found = Current.IsName(name);
        if (found) Take();
        return found;
    }

    public bool TakeIfOperator(string sign)
    {
        var found = Current.IsOperator(sign);
        if (found) Take();
        return found;
    }

    public void ExpectOperator(string sign)
    {
        if (!TakeIfOperator(sign)) throw Error($"expected '{sign}', got {Current}");
    }

    public void ExpectName(string name)
    {
        if (!TakeIfName(name)) throw Error($"expected '{name}', got {Current}");
    }

    public TemplateToken Expect(TokenKind kind, string what) =>
        Current.Kind == kind ? Take() : throw Error($"expected {what}, got {Current}");

    /// <summary>Begins something that may hold itself.</summary>
    public void Descend()
    {
        if (++_depth > TemplateLimits.Nesting) throw Error($"nests more than {TemplateLimits.Nesting} levels deep");
    }

    public void Ascend() => _depth--;

    public ChatTemplateException Error(string complaint) => new(complaint, Line);
}
