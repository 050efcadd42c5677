using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Filters that give a text.</summary>
internal static class TextFilters
{
    /// <summary>A filter without arguments on the value's text.</summary>
    public static Filter Plain(string name, Func<string, string> apply) => (run, value, arguments) =>
    {
        arguments.BindNone(name);
        var text = PythonText.Of(value, run);
        run.CountText(text.Length);
        var changed = apply(text);
        run.CheckLength(changed.Length);
        return changed;
    };

    public static object Trim(TemplateRun run, object value, Arguments arguments)
    {
        var characters = Parameters.OptionalText(arguments.Bind("trim", 0, "chars")[0], "'chars' of trim()");
        var text = PythonText.Of(value, run);
        run.CountText(text.Length + (characters?.Length ?? 0));
        return PythonString.Strip(text, characters, left: true, right: true);
    }

    public static object Replace(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("replace", 2, "old", "new", "count");
        return PythonString.Replace(PythonText.Of(value, run), PythonText.Of(given[0]!, run), PythonText.Of(given[1]!, run),
            Parameters.OptionalInteger(given[2], "'count' of replace()") ?? -1, run);
    }

    public static object Join(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("join", 0, "d", "attribute");
        IEnumerable<object> items = PythonSequence.Items(value, run);
        if (given[1] is { } attribute and not None) items = items.Select(item => Attributes.Follow(item, attribute, run));
        return Joined([.. items.Select(item => PythonText.Of(item, run))], PythonText.Of(given[0] ?? "", run), run);
    }

    public static string Joined(IReadOnlyCollection<string> parts, string separator, TemplateRun run)
    {
        run.Reserve(parts.Sum(part => (long)part.Length) + Math.Max(0, parts.Count - 1) * (long)separator.Length);
        return string.Join(separator, parts);
    }

    public static object Indent(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("indent", 0, "width", "first", "blank");
        var indent = given[0] as string ?? Spaces(Parameters.OptionalInteger(given[0], "'width' of indent()") ?? 4, run);
        var blank = Parameters.Flag(given[2]);
        var text = new TemplateText(run);
        var lines = PythonString.Lines(Parameters.Text(value, "what indent() is applied to") + "\n").ToArray();
        run.Count(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (i > 0) text.Append('\n');
            if (i == 0 ? Parameters.Flag(given[1]) : blank || lines[i].Length > 0) text.Append(indent);
            text.Append(lines[i]);
        }
        return text.ToString();
    }

    public static object Format(TemplateRun run, object value, Arguments arguments) =>
        PercentFormat.Apply(PythonText.Of(value, run), new ListValue(arguments.Places, IsTuple: true), run);

    public static object WordCount(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("wordcount");
        var text = PythonText.Of(value, run);
        run.CountText(text.Length);
        static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_';
        return Enumerable.Range(0, text.Length).LongCount(i => IsWord(text[i]) && (i == 0 || !IsWord(text[i - 1])));
    }

    /// <summary>Jinja's own title case: a capital after white space, a hyphen or an opening bracket.</summary>
    public static string Titled(string text)
    {
        var characters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < characters.Length; i++)
            if (i == 0 || PythonString.IsSpace(text[i - 1]) || text[i - 1] is '-' or '(' or '{' or '[' or '<')
                characters[i] = char.ToUpperInvariant(text[i]);
        return new string(characters);
    }

    public static string Escaped(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string Spaces(long width, TemplateRun run)
    {
        run.Reserve(width);
        return new string(' ', (int)Math.Max(0, width));
    }
}
