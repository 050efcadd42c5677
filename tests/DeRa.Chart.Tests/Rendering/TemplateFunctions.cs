using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>The functions that the chart uses, of Go, of Sprig and of Helm; <c>include</c> is the renderer's.</summary>
internal static class TemplateFunctions
{
    /// <summary>Calls a function.</summary>
    /// <exception cref="TemplateException">It is not among those that the chart may use, or refuses its arguments.</exception>
    public static object? Call(string name, IReadOnlyList<object?> given) => (name, given) switch
    {
        ("and", _) => given.FirstOrDefault(value => !GoText.IsTrue(value), given[^1]),
        ("or", _) => given.FirstOrDefault(GoText.IsTrue, given[^1]),
        ("not", [var value]) => !GoText.IsTrue(value),
        ("eq", [var left, var right]) => AreEqual(left, right),
        ("lt", [long left, long right]) => left < right,
        ("default", [var otherwise, var value]) => GoText.IsTrue(value) ? value : otherwise,
        ("add", _) => given.Sum(Whole),
        ("div", [var value, var by]) => Whole(value) / Whole(by),
        ("int", [var value]) => Whole(value),
        ("quote", [var value]) => GoText.Quoted(value),
        ("squote", [var value]) => $"'{GoText.Of(value)}'",
        ("printf", [string format, ..]) => GoText.Format(format, [.. given.Skip(1)]),
        ("trunc", [long length, string text]) => text.Length <= length ? text : text[..(int)length],
        ("trimSuffix", [string suffix, string text]) =>
            text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
        ("regexReplaceAll", [string pattern, string text, string with]) =>
            Regex.Replace(text, pattern, with, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)),
        ("nindent", [long spaces, string text]) => "\n" + Indent((int)spaces, text),
        ("toYaml", [var value]) => YamlText.Write(value).TrimEnd('\n'),
        ("kindIs", [string kind, var value]) => kind == Kind(value),
        ("dict", _) when given.Count % 2 == 0 => given.Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1]),
        ("fail", [string message]) => throw new TemplateException(message),
        _ => throw new TemplateException($"'{name}' with {given.Count} arguments is none of the functions that the chart may use."),
    };

    private static string Indent(int spaces, string text)
    {
        var pad = new string(' ', spaces);
        return pad + text.Replace("\n", "\n" + pad, StringComparison.Ordinal);
    }

    private static bool AreEqual(object? left, object? right) => left?.GetType() == right?.GetType()
        ? Equals(left, right) : throw new TemplateException("eq compares values of two kinds.");

    private static long Whole(object? value) => value switch
    {
        long whole => whole,
        double number => (long)number,
        _ => throw new TemplateException(string.Create(CultureInfo.InvariantCulture, $"'{value}' is no number.")),
    };

    private static string Kind(object? value) => value switch
    {
        IReadOnlyDictionary<string, object?> => "map",
        IReadOnlyList<object?> => "slice",
        string => "string",
        bool => "bool",
        null => "invalid",
        _ => "float64",
    };
}
