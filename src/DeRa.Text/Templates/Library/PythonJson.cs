using System.Globalization;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>
/// Python's <c>json.dumps</c>, which Hugging Face puts in place of Jinja's own <c>tojson</c>: nothing is escaped for HTML.
/// </summary>
internal sealed class PythonJson
{
    private readonly TemplateRun _run;
    private readonly TemplateText _text;
    private readonly string? _indent;
    private readonly string _betweenItems;
    private readonly string _afterKey;
    private readonly bool _asciiOnly;
    private readonly bool _sorted;

    private PythonJson(object?[] given, TemplateRun run)
    {
        (_run, _text) = (run, new TemplateText(run));
        _asciiOnly = Parameters.Flag(given[0]);
        _indent = Indent(given[1], run);
        (_betweenItems, _afterKey) = Separators(given[2], _indent is not null);
        _sorted = Parameters.Flag(given[3]);
    }

    public static object Filter(TemplateRun run, object value, Arguments arguments)
    {
        var json = new PythonJson(arguments.Bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys"), run);
        json.Write(value, 0);
        return json._text.ToString();
    }

    private static string? Indent(object? indent, TemplateRun run)
    {
        if (indent is null or None) return null;
        if (indent is string text) return text;
        var width = Parameters.Integer(indent, "'indent' of tojson()");
        run.Reserve(width);
        return new string(' ', (int)Math.Max(0, width));
    }

    private static (string, string) Separators(object? separators, bool indented) => separators switch
    {
        null or None => (indented ? "," : ", ", ": "),
        ListValue { Items: [string items, string keys] } => (items, keys),
        _ => throw new ChatTemplateException("'separators' of tojson() must be two texts"),
    };

    private void Write(object value, int level)
    {
        _run.Descend();
        switch (value)
        {
            case None: _text.Append("null"); break;
            case bool flag: _text.Append(flag ? "true" : "false"); break;
            case long number: _text.Append(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number: _text.Append(Float(number)); break;
            case string text: Quote(text); break;
            case ListValue list: WriteList(list, level + 1); break;
            case DictValue dict: WriteDict(dict, level + 1); break;
            default: throw new ChatTemplateException($"Object of type {PythonType.Name(value)} is not JSON serializable");
        }
        _run.Leave();
    }

    private void WriteList(ListValue list, int level)
    {
        _text.Append('[');
        for (var i = 0; i < list.Items.Count; i++)
        {
            Begin(i == 0, level);
            Write(list.Items[i], level);
        }
        if (list.Items.Count > 0) NewLine(level - 1);
        _text.Append(']');
    }

    private void WriteDict(DictValue dict, int level)
    {
        _text.Append('{');
        var first = true;
        foreach (var (key, value) in Entries(dict))
        {
            Begin(first, level);
            first = false;
            Quote(key);
            _text.Append(_afterKey);
            Write(value, level);
        }
        if (!first) NewLine(level - 1);
        _text.Append('}');
    }

    private IEnumerable<KeyValuePair<string, object>> Entries(DictValue dict)
    {
        var entries = dict.Entries.Select(entry => KeyValuePair.Create(Key(entry.Key), entry.Value));
        return _sorted ? entries.OrderBy(entry => entry.Key, StringComparer.Ordinal) : entries;
    }

    private string Key(object key) => key switch
    {
        None => "null",
        bool flag => flag ? "true" : "false",
        double number => Float(number),
        _ => PythonText.Of(key, _run),
    };

    private void Begin(bool first, int level)
    {
        if (!first) _text.Append(_betweenItems);
        NewLine(level);
    }

    private void NewLine(int level)
    {
        if (_indent is null) return;
        _text.Append('\n');
        for (var i = 0; i < level; i++) _text.Append(_indent);
    }

    private void Quote(string text)
    {
        _run.CountText(text.Length);
        _text.Append('"');
        foreach (var character in text) WriteEscaped(character);
        _text.Append('"');
    }

    private void WriteEscaped(char character)
    {
        var escaped = character switch
        {
            '"' => "\\\"",
            '\\' => @"\\",
            '\n' => @"\n",
            '\r' => @"\r",
            '\t' => @"\t",
            '\b' => @"\b",
            '\f' => @"\f",
            < ' ' => Escape(character),
            > '~' when _asciiOnly && !Sentinels.Contains(character) => Escape(character),
            _ => null,
        };
        if (escaped is null) _text.Append(character); else _text.Append(escaped);
    }

    private static string Escape(char character) => $@"\u{(int)character:x4}";

    private static string Float(double number) => number switch
    {
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        _ => PythonNumber.Text(number),
    };
}
