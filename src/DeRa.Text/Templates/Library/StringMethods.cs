using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>The methods of a text.</summary>
internal static class StringMethods
{
    private delegate object Method(string text, TemplateRun run, Arguments arguments);

    private static readonly Dictionary<string, Method> Methods = new(StringComparer.Ordinal)
    {
        ["upper"] = Plain("upper", text => text.ToUpperInvariant()),
        ["lower"] = Plain("lower", text => text.ToLowerInvariant()),
        ["title"] = Plain("title", PythonString.Title),
        ["capitalize"] = Plain("capitalize", PythonString.Capitalize),
        ["isspace"] = Plain("isspace", text => text.Length > 0 && text.All(PythonString.IsSpace)),
        ["isdigit"] = Plain("isdigit", text => text.Length > 0 && text.All(char.IsDigit)),
        ["isnumeric"] = Plain("isnumeric", text => text.Length > 0 && text.All(char.IsNumber)),
        ["isalpha"] = Plain("isalpha", text => text.Length > 0 && text.All(char.IsLetter)),
        ["isalnum"] = Plain("isalnum", text => text.Length > 0 && text.All(char.IsLetterOrDigit)),
        ["isupper"] = Plain("isupper", text => PythonString.IsUpper(text)),
        ["islower"] = Plain("islower", text => PythonString.IsLower(text)),
        ["strip"] = Stripping("strip", left: true, right: true),
        ["lstrip"] = Stripping("lstrip", left: true, right: false),
        ["rstrip"] = Stripping("rstrip", left: false, right: true),
        ["startswith"] = Matching("startswith", (text, part) => text.StartsWith(part, StringComparison.Ordinal)),
        ["endswith"] = Matching("endswith", (text, part) => text.EndsWith(part, StringComparison.Ordinal)),
        ["removeprefix"] = WithPart("removeprefix",
            (text, part) => text.StartsWith(part, StringComparison.Ordinal) ? text[part.Length..] : text),
        ["removesuffix"] = WithPart("removesuffix",
            (text, part) => text.EndsWith(part, StringComparison.Ordinal) ? text[..^part.Length] : text),
        ["find"] = WithPart("find", (text, part) => Place(text, text.IndexOf(part, StringComparison.Ordinal))),
        ["rfind"] = WithPart("rfind", (text, part) => Place(text, text.LastIndexOf(part, StringComparison.Ordinal))),
        ["index"] = WithPart("index", (text, part) => Present(Place(text, text.IndexOf(part, StringComparison.Ordinal)))),
        ["rindex"] = WithPart("rindex", (text, part) => Present(Place(text, text.LastIndexOf(part, StringComparison.Ordinal)))),
        ["count"] = WithPart("count", (text, part) => (long)PythonString.Places(text, part, -1).Count),
        ["partition"] = WithPart("partition", Partition),
        ["rpartition"] = WithPart("rpartition", PartitionLast),
        ["split"] = StringSplitting.Split,
        ["rsplit"] = StringSplitting.SplitFromEnd,
        ["splitlines"] = StringSplitting.Lines,
        ["replace"] = Replace,
        ["join"] = Join,
        ["format"] = (text, run, arguments) => BraceFormat.Apply(text, arguments, run),
        ["zfill"] = (text, run, arguments) => Padded("zfill", text, run, arguments, (padded, width) => text is ['-' or '+', ..]
            ? text[0] + text[1..].PadLeft(Math.Max(0, width - 1), '0') : text.PadLeft(width, '0')),
        ["ljust"] = (text, run, arguments) => Padded("ljust", text, run, arguments, (padded, width) => padded.PadRight(width)),
        ["rjust"] = (text, run, arguments) => Padded("rjust", text, run, arguments, (padded, width) => padded.PadLeft(width)),
    };

    public static FunctionValue? Find(string text, string name) => Methods.TryGetValue(name, out var method)
        ? new FunctionValue(name, (run, arguments) =>
        {
            run.CountText(text.Length);
            return method(text, run, arguments);
        })
        : null;

    private static Method Plain(string name, Func<string, object> apply) => (text, _, arguments) =>
    {
        arguments.BindNone(name);
        return apply(text);
    };

    private static Method Stripping(string name, bool left, bool right) => (text, run, arguments) =>
    {
        var characters = Parameters.OptionalText(arguments.Bind(name, 0, "chars")[0], $"the argument of {name}()");
        run.CountText(characters?.Length ?? 0);
        return PythonString.Strip(text, characters, left, right);
    };

    private static Method WithPart(string name, Func<string, string, object> apply) => (text, run, arguments) =>
    {
        var part = Parameters.Text(arguments.Bind(name, 1, "text")[0]!, $"the argument of {name}()");
        run.CountSearch(text, part);
        return apply(text, part);
    };

    private static Method Matching(string name, Func<string, string, bool> matches) => (text, run, arguments) =>
    {
        var given = arguments.Bind(name, 1, "text")[0]!;
        return given is ListValue { IsTuple: true } any ? any.Items.Any(Holds) : Holds(given);

        bool Holds(object value)
        {
            var part = Parameters.Text(value, $"the argument of {name}()");
            run.Count(1);
            run.CountText(part.Length);
            return matches(text, part);
        }
    };

    private static long Place(string text, int place) => place < 0 ? -1L : PythonSequence.CharacterCount(text.AsSpan(0, place));

    private static long Present(long place) => place < 0 ? throw new ChatTemplateException("substring not found") : place;

    private static ListValue Partition(string text, string separator)
    {
        var at = text.IndexOf(NotEmpty(separator), StringComparison.Ordinal);
        return at < 0 ? ListValue.Tuple(text, "", "") : ListValue.Tuple(text[..at], separator, text[(at + separator.Length)..]);
    }

    private static ListValue PartitionLast(string text, string separator)
    {
        var at = text.LastIndexOf(NotEmpty(separator), StringComparison.Ordinal);
        return at < 0 ? ListValue.Tuple("", "", text) : ListValue.Tuple(text[..at], separator, text[(at + separator.Length)..]);
    }

    private static string NotEmpty(string separator) =>
        separator.Length > 0 ? separator : throw new ChatTemplateException("empty separator");

    private static string Replace(string text, TemplateRun run, Arguments arguments)
    {
        var given = arguments.Bind("replace", 2, "old", "new", "count");
        return PythonString.Replace(text,
            Parameters.Text(given[0]!, "'old' of replace()"), Parameters.Text(given[1]!, "'new' of replace()"),
            Parameters.OptionalInteger(given[2], "'count' of replace()") ?? -1, run);
    }

    private static string Join(string text, TemplateRun run, Arguments arguments)
    {
        var items = PythonSequence.Items(arguments.Bind("join", 1, "items")[0]!, run);
        var parts = items.Select(item => Parameters.Text(item, "each item of join()")).ToArray();
        return TextFilters.Joined(parts, text, run);
    }

    private static string Padded(
        string name, string text, TemplateRun run, Arguments arguments, Func<string, int, string> pad)
    {
        var width = Parameters.Integer(arguments.Bind(name, 1, "width")[0]!, $"the argument of {name}()");
        run.Reserve(width);
        return pad(text, (int)Math.Max(0, width));
    }
}
