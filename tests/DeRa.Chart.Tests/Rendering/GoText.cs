using System.Globalization;
using System.Text;

namespace DeRa.Chart.Tests.Rendering;

/// <summary>Values as Go prints them, and which of them count as false.</summary>
internal static class GoText
{
    /// <summary>A value's text. What Go would print as a Go literal is an error.</summary>
    public static string Of(object? value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        // Helm reads numbers of values as floating point ones.
        long whole => Number(whole),
        double number => Number(number),
        null => throw new TemplateException("a value that is not there is printed."),
        _ => throw new TemplateException("a map or a list is printed; toYaml is missing."),
    };

    /// <summary>Between double quotes, with escapes that YAML knows too.</summary>
    public static string Quoted(object? value) =>
        "\"" + Of(value).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal) + "\"";

    /// <summary>By the verbs %s, for texts, and %v.</summary>
    public static string Format(string format, IReadOnlyList<object?> values)
    {
        var (text, next) = (new StringBuilder(), 0);
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            var value = next < values.Count ? values[next++] : throw new TemplateException($"printf \"{format}\" lacks a value.");
            text.Append(format[++i] switch
            {
                's' => value as string ?? throw new TemplateException($"printf \"{format}\" gets for %s what is no text."),
                'v' => Of(value),
                var verb => throw new TemplateException($"printf knows no %{verb} here."),
            });
        }
        return next == values.Count ? text.ToString() : throw new TemplateException($"printf \"{format}\" has a value left.");
    }

    /// <summary>Whether <c>if</c> takes the branch.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool flag => flag,
        string text => text.Length > 0,
        long whole => whole != 0,
        double number => number != 0,
        IReadOnlyDictionary<string, object?> map => map.Count > 0,
        IReadOnlyList<object?> list => list.Count > 0,
        _ => true,
    };

    /// <summary>%v of a float64: with an exponent from a million on, which surprises those who write 1048576 into their values.</summary>
    private static string Number(double number) => Math.Abs(number) is >= 1e6 or (> 0 and < 1e-4)
        ? number.ToString("0.################e+00", CultureInfo.InvariantCulture)
        : number.ToString("R", CultureInfo.InvariantCulture);
}
