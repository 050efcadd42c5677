using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>Reads what stands between the braces of an action: literals, paths, calls, pipes and parentheses.</summary>
internal sealed partial class ExpressionParser
{
    private readonly List<string> _tokens;
    private readonly string _text;
    private int _next;

    public ExpressionParser(string text)
    {
        _text = text;
        _tokens = [.. Token().Matches(text).Select(match => match.Value).Where(token => !string.IsNullOrWhiteSpace(token))];
    }

    private string? Peek => _next < _tokens.Count ? _tokens[_next] : null;

    /// <summary>Takes the next token if it is this one.</summary>
    public bool TryTake(string token)
    {
        if (Peek != token) return false;
        _next++;
        return true;
    }

    /// <summary>The next token.</summary>
    public string Take() => Peek is { } token ? _tokens[_next++] : throw Bad("ends too soon");

    /// <summary>Whether this token is still to come: <c>:=</c> tells a declaration from a value.</summary>
    public bool Holds(string token) => _tokens.Skip(_next).Contains(token);

    /// <summary>Reads a pipeline to the end.</summary>
    public Expression ParseToEnd()
    {
        var value = Pipeline();
        return Peek is null ? value : throw Bad($"has '{Peek}' after its end");
    }

    private Expression Pipeline()
    {
        var value = Command(piped: null);
        while (TryTake("|")) value = Command(value);
        return value;
    }

    private Expression Command(Expression? piped)
    {
        var first = Take();
        if (!IsWord(first))
        {
            var operand = Operand(first);
            if (piped is not null || Peek is not (null or ")" or "|")) throw Bad($"uses '{first}' as a function");
            return operand;
        }
        var arguments = new List<Expression>();
        while (Peek is not (null or ")" or "|")) arguments.Add(Operand(Take()));
        if (piped is not null) arguments.Add(piped);
        return first is "true" or "false" && arguments.Count == 0
            ? new Expression.Literal(first == "true") : new Expression.Call(first, arguments);
    }

    private Expression Operand(string token)
    {
        if (token == "(")
        {
            var inner = Pipeline();
            return TryTake(")") ? inner : throw Bad("has no closing parenthesis");
        }
        if (token[0] == '"') return new Expression.Literal(JsonSerializer.Deserialize<string>(token)!);
        if (token[0] is '.' or '$')
        {
            var parts = token.Split('.');
            return new Expression.Path(token[0] == '.' ? null : parts[0][1..], [.. parts.Skip(1).Where(part => part.Length > 0)]);
        }
        if (long.TryParse(token, CultureInfo.InvariantCulture, out var whole)) return new Expression.Literal(whole);
        if (token is "true" or "false") return new Expression.Literal(token == "true");
        // A function without arguments would be read as one by Go; the chart has none.
        throw Bad($"has '{token}' where a value is expected");
    }

    private static bool IsWord(string token) => char.IsLetter(token[0]);

    private TemplateException Bad(string what) => new($"{{{{ {_text} }}}} {what}.");

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"|:=|[|(),]|\$\w*(?:\.\w+)*|\.(?:\w+(?:\.\w+)*)?|-?\d+|[A-Za-z]\w*|\s+|\S
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();
}
