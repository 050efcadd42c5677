using System.Text.RegularExpressions;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>
/// Reads the part of Go's template language that the chart uses: values, <c>define</c>, <c>if</c>, <c>with</c>, <c>range</c>,
/// variables, comments and the trimming of spaces. All else is an error, so that the chart stays within it.
/// </summary>
internal sealed partial class TemplateParser
{
    private readonly List<(string? Text, string? Action)> _pieces = [];
    private int _next;

    private TemplateParser(string template)
    {
        var (at, trims) = (0, false);
        foreach (var match in Action().Matches(template).Cast<Match>())
        {
            AddText(template[at..match.Index], trims, match.Groups["left"].Success);
            (at, trims) = (match.Index + match.Length, match.Groups["right"].Success);
            var body = match.Groups["body"].Value.Trim();
            if (!body.StartsWith("/*", StringComparison.Ordinal)) _pieces.Add((null, body));
            else if (!body.EndsWith("*/", StringComparison.Ordinal)) throw new TemplateException($"a comment does not end: {body}");
        }
        AddText(template[at..], trims, false);
    }

    /// <summary>Reads a template.</summary>
    public static IReadOnlyList<TemplateNode> Parse(string template)
    {
        var parser = new TemplateParser(template);
        var nodes = parser.Body(out var end);
        return end is null ? nodes : throw new TemplateException($"{{{{ {end} }}}} ends nothing.");
    }

    private void AddText(string text, bool trimsStart, bool trimsEnd)
    {
        if (text.Contains("{{", StringComparison.Ordinal)) throw new TemplateException($"an action does not end: {text}");
        if (trimsStart) text = text.TrimStart();
        if (trimsEnd) text = text.TrimEnd();
        if (text.Length > 0) _pieces.Add((text, null));
    }

    /// <summary>Reads until an <c>else</c> or <c>end</c>, which is taken too.</summary>
    private List<TemplateNode> Body(out string? end)
    {
        var nodes = new List<TemplateNode>();
        while (_next < _pieces.Count)
        {
            var (text, action) = _pieces[_next++];
            if (action is null)
            {
                nodes.Add(new TemplateNode.Text(text!));
                continue;
            }
            end = action;
            if (action == "end" || FirstWord(action) == "else") return nodes;
            nodes.Add(Node(action));
        }
        end = null;
        return nodes;
    }

    private TemplateNode Node(string action)
    {
        var word = FirstWord(action);
        var rest = action[word.Length..].Trim();
        return word switch
        {
            "define" => new TemplateNode.Definition(rest.Trim('"'), Whole(action)),
            "with" => new TemplateNode.With(new ExpressionParser(rest).ParseToEnd(), Whole(action)),
            "range" => Range(rest),
            "if" => If(rest),
            _ => Plain(action),
        };
    }

    private static TemplateNode Plain(string action)
    {
        var parser = new ExpressionParser(action);
        if (!parser.Holds(":=")) return new TemplateNode.Output(parser.ParseToEnd());
        var name = parser.Take();
        return name[0] == '$' && parser.TryTake(":=")
            ? new TemplateNode.Declaration(name[1..], parser.ParseToEnd()) : throw new TemplateException($"{{{{ {action} }}}} is no declaration.");
    }

    private TemplateNode.Range Range(string text)
    {
        var parser = new ExpressionParser(text);
        string? key = null, element = null;
        if (parser.Holds(":="))
        {
            (key, element) = (null, parser.Take()[1..]);
            if (parser.TryTake(",")) (key, element) = (element, parser.Take()[1..]);
            if (!parser.TryTake(":=")) throw new TemplateException($"{{{{ range {text} }}}} has too many variables.");
        }
        return new TemplateNode.Range(key, element, parser.ParseToEnd(), Whole("range " + text));
    }

    private TemplateNode.If If(string condition)
    {
        var branches = new List<(Expression?, IReadOnlyList<TemplateNode>)>();
        string? next = condition;
        while (true)
        {
            var branch = next is null ? null : new ExpressionParser(next).ParseToEnd();
            var body = Body(out var end);
            branches.Add((branch, body));
            if (end == "end") return new TemplateNode.If(branches);
            if (end is null || branch is null) throw new TemplateException($"{{{{ if {condition} }}}} has no end.");
            next = end == "else" ? null : end["else".Length..].Trim()["if".Length..];
        }
    }

    private List<TemplateNode> Whole(string action)
    {
        var body = Body(out var end);
        return end == "end" ? body : throw new TemplateException($"{{{{ {action} }}}} needs an end, and the renderer knows no else there.");
    }

    private static string FirstWord(string action) => action.Split(' ', 2)[0];

    [GeneratedRegex("""
        \{\{(?<left>-(?=\s))?(?<body>(?:"(?:[^"\\]|\\.)*"|[^"])*?)(?<right>(?<=\s)-)?\}\}
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Action();
}
