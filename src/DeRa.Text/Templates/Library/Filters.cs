using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>A filter: <c>value | name(arguments)</c>.</summary>
internal delegate object Filter(TemplateRun run, object value, Arguments arguments);

/// <summary>The filters by name.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["abs"] = NumberFilters.Abs,
        ["attr"] = ValueFilters.Attr,
        ["batch"] = SequenceFilters.Batch,
        ["capitalize"] = TextFilters.Plain("capitalize", PythonString.Capitalize),
        ["count"] = ValueFilters.Length,
        ["d"] = ValueFilters.Default,
        ["default"] = ValueFilters.Default,
        ["dictsort"] = OrderFilters.DictSort,
        ["e"] = TextFilters.Plain("e", TextFilters.Escaped),
        ["escape"] = TextFilters.Plain("escape", TextFilters.Escaped),
        ["first"] = SequenceFilters.First,
        ["float"] = NumberFilters.Float,
        ["forceescape"] = TextFilters.Plain("forceescape", TextFilters.Escaped),
        ["format"] = TextFilters.Format,
        ["indent"] = TextFilters.Indent,
        ["int"] = NumberFilters.Int,
        ["items"] = ValueFilters.Items,
        ["join"] = TextFilters.Join,
        ["last"] = SequenceFilters.Last,
        ["length"] = ValueFilters.Length,
        ["list"] = SequenceFilters.List,
        ["lower"] = TextFilters.Plain("lower", text => text.ToLowerInvariant()),
        ["map"] = SequenceFilters.Map,
        ["max"] = OrderFilters.Max,
        ["min"] = OrderFilters.Min,
        ["reject"] = SequenceFilters.Choosing("reject", keep: false, byAttribute: false),
        ["rejectattr"] = SequenceFilters.Choosing("rejectattr", keep: false, byAttribute: true),
        ["replace"] = TextFilters.Replace,
        ["reverse"] = SequenceFilters.Reverse,
        ["round"] = NumberFilters.Round,
        ["safe"] = TextFilters.Plain("safe", text => text),
        ["select"] = SequenceFilters.Choosing("select", keep: true, byAttribute: false),
        ["selectattr"] = SequenceFilters.Choosing("selectattr", keep: true, byAttribute: true),
        ["sort"] = OrderFilters.Sort,
        ["string"] = TextFilters.Plain("string", text => text),
        ["sum"] = SequenceFilters.Sum,
        ["title"] = TextFilters.Plain("title", TextFilters.Titled),
        ["tojson"] = PythonJson.Filter,
        ["trim"] = TextFilters.Trim,
        ["unique"] = OrderFilters.Unique,
        ["upper"] = TextFilters.Plain("upper", text => text.ToUpperInvariant()),
        ["wordcount"] = TextFilters.WordCount,
    };

    public static bool Knows(string name) => All.ContainsKey(name);

    /// <exception cref="ChatTemplateException">There is no filter of that name.</exception>
    public static Filter Find(string name, int? line = null) => All.TryGetValue(name, out var filter) ? filter
        : throw new ChatTemplateException($"the filter '{name}' is not known here (known: {string.Join(", ", All.Keys)})", line);
}
