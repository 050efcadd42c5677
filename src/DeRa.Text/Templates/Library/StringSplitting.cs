using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>The methods of a text that split it into a list.</summary>
internal static class StringSplitting
{
    public static object Split(string text, TemplateRun run, Arguments arguments)
    {
        var (separator, splits) = Read("split", arguments);
        if (separator is not null) run.CountSearch(text, separator);
        return List(separator is null ? PythonString.SplitAtSpace(text, splits)
            : Parts(text, separator, PythonString.Places(text, separator, splits)), run);
    }

    public static object SplitFromEnd(string text, TemplateRun run, Arguments arguments)
    {
        var (separator, splits) = Read("rsplit", arguments);
        if (splits < 0) return Split(text, run, arguments);
        if (separator is null) throw new ChatTemplateException("rsplit() with a limit needs a separator here");
        run.CountSearch(text, separator);
        var places = new List<int>();
        var from = text.Length;
        while (places.Count < splits && from >= separator.Length
            && text.AsSpan(0, from).LastIndexOf(separator, StringComparison.Ordinal) is var at and >= 0)
            places.Add(from = at);
        places.Reverse();
        return List(Parts(text, separator, places), run);
    }

    public static object Lines(string text, TemplateRun run, Arguments arguments) =>
        List(PythonString.Lines(text, Parameters.Flag(arguments.Bind("splitlines", 0, "keepends")[0])), run);

    private static (string? Separator, long Splits) Read(string name, Arguments arguments)
    {
        var given = arguments.Bind(name, 0, "sep", "maxsplit");
        var separator = Parameters.OptionalText(given[0], $"'sep' of {name}()");
        if (separator is "") throw new ChatTemplateException("empty separator");
        return (separator, Math.Max(-1, Parameters.OptionalInteger(given[1], $"'maxsplit' of {name}()") ?? -1));
    }

    private static IEnumerable<string> Parts(string text, string separator, List<int> places)
    {
        var start = 0;
        foreach (var place in places)
        {
            yield return text[start..place];
            start = place + separator.Length;
        }
        yield return text[start..];
    }

    private static ListValue List(IEnumerable<string> parts, TemplateRun run)
    {
        var items = new List<object>();
        foreach (var part in parts)
        {
            run.Count(1);
            items.Add(part);
        }
        return new ListValue(items);
    }
}
