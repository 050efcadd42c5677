using System.Text.RegularExpressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Splits the inside of a tag into tokens.</summary>
internal sealed partial class ExpressionLexer(string source, List<TemplateToken> tokens)
{
    private static readonly string[] Operators =
    [
        "**", "//", "==", "!=", ">=", "<=",
        "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    /// <summary>Looking a name up reads it, and counts as one step however long it is.</summary>
    private const int LongestName = 256;

    private int _line = 1;
    private int _lineKnownAt;

    /// <summary>The line of a place at or after the last one asked for.</summary>
    public int LineOf(int at)
    {
        if (at < _lineKnownAt) (_line, _lineKnownAt) = (1, 0);
        _line += source.AsSpan(_lineKnownAt, at - _lineKnownAt).Count('\n');
        _lineKnownAt = at;
        return _line;
    }

    /// <summary>Reads tokens up to the tag's end, which brackets that are still open keep from being one.</summary>
    /// <returns>Where the end begins, with its sign.</returns>
    public int Read(int at, string end)
    {
        var begin = at;
        var open = new Stack<char>();
        while (true)
        {
            while (at < source.Length && char.IsWhiteSpace(source[at])) at++;
            if (at >= source.Length) throw new ChatTemplateException($"a tag that ends in {end} is missing its end", LineOf(begin));
            if (open.Count == 0 && IsEnd(at, end)) return at;
            at = ReadToken(at, open);
        }
    }

    private bool IsEnd(int at, string end) => Holds(at, end) || (source[at] is '-' && Holds(at + 1, end))
        || (source[at] is '+' && end == "%}" && Holds(at + 1, end));

    private bool Holds(int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private int ReadToken(int at, Stack<char> open)
    {
        if (source[at] is '\'' or '"') return ReadString(at);
        if (char.IsAsciiDigit(source[at])) return ReadNumber(at);
        if (char.IsLetter(source[at]) || source[at] == '_') return ReadName(at);
        var sign = Operators.FirstOrDefault(candidate => Holds(at, candidate)) ?? throw Error($"unexpected character '{source[at]}'", at);
        Balance(sign[0], open, at);
        return Add(TokenKind.Operator, sign, at, sign.Length);
    }

    private void Balance(char sign, Stack<char> open, int at)
    {
        if (sign is '(' or '[' or '{') open.Push(sign switch { '(' => ')', '[' => ']', _ => '}' });
        if (sign is not (')' or ']' or '}')) return;
        if (!open.TryPop(out var expected)) throw Error($"unexpected '{sign}'", at);
        if (expected != sign) throw Error($"unexpected '{sign}', expected '{expected}'", at);
    }

    private int ReadName(int at)
    {
        var end = at;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_')) end++;
        if (end - at > LongestName) throw Error($"a name has more than {LongestName} characters", at);
        return Add(TokenKind.Name, source[at..end], at, end - at);
    }

    private int ReadNumber(int at)
    {
        var real = source[at - 1] == '.' ? null : Float().Match(source, at) is { Success: true } match ? match.Value : null;
        var digits = real ?? Integer().Match(source, at).Value;
        var kind = real is null ? TokenKind.Integer : TokenKind.Float;
        return Add(kind, digits.Replace("_", "", StringComparison.Ordinal), at, digits.Length);
    }

    private int ReadString(int at)
    {
        var end = at + 1;
        while (end < source.Length && source[end] != source[at]) end += source[end] == '\\' ? 2 : 1;
        if (end >= source.Length) throw Error("the string that begins here does not end", at);
        return Add(TokenKind.String, StringEscapes.Read(source[(at + 1)..end], LineOf(at)), at, end + 1 - at);
    }

    private int Add(TokenKind kind, string text, int at, int length)
    {
        tokens.Add(new TemplateToken(kind, text, LineOf(at)));
        return at + length;
    }

    private ChatTemplateException Error(string complaint, int at) => new(complaint, LineOf(at));

    [GeneratedRegex(@"\G(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][+\-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)")]
    private static partial Regex Float();

    [GeneratedRegex(@"\G(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[0-9](?:_?[0-9])*)")]
    private static partial Regex Integer();
}
