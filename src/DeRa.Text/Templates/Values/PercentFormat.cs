using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.Text.Templates.Values;

/// <summary>
/// Python's <c>text % values</c>, with the conversions %s, %r, %d, %i, %f, %x and %%, a width, a precision and the flags - and 0.
/// </summary>
internal static partial class PercentFormat
{
    private const int WidestField = 10_000;

    public static string Apply(string format, object values, TemplateRun run)
    {
        var arguments = new Queue<object>(values is ListValue { IsTuple: true } tuple ? tuple.Items : [values]);
        var text = new TemplateText(run);
        var done = 0;
        run.CountText(format.Length);
        // One match after the other: a collection would keep them all.
        for (var match = Conversion().Match(format); match.Success; match = match.NextMatch())
        {
            run.Count(1);
            text.Append(format[done..match.Index]).Append(Convert(match, arguments, run));
            done = match.Index + match.Length;
        }
        text.Append(format[done..]);
        // Python does not mind what it could have looked up a name in.
        if (arguments.Count > 0 && values is not (DictValue or Undefined or ListValue { IsTuple: false }))
            throw new ChatTemplateException("not all arguments converted during string formatting");
        return text.ToString();
    }

    private static string Convert(Match match, Queue<object> arguments, TemplateRun run)
    {
        var kind = match.Groups["kind"].Value;
        if (kind == "%") return "%";
        if (arguments.Count == 0) throw new ChatTemplateException("not enough arguments for format string");
        var precision = Size(match.Groups["precision"]);
        var value = arguments.Dequeue();
        var text = kind switch
        {
            "s" => Truncate(PythonText.Of(value, run), precision),
            "r" => Truncate(PythonText.Repr(value, run), precision),
            "d" or "i" => Integer(value, kind).ToString(CultureInfo.InvariantCulture),
            "x" => Integer(value, kind).ToString("x", CultureInfo.InvariantCulture),
            "f" => Number(value, kind).Float.ToString("F" + (precision ?? 6), CultureInfo.InvariantCulture),
            _ => throw new ChatTemplateException(
                $"the conversion '{match.Value}' is not implemented (implemented: %s, %r, %d, %i, %f, %x, %%)"),
        };
        return Pad(text, match.Groups["flags"].Value, Size(match.Groups["width"]) ?? 0, kind);
    }

    private static string Pad(string text, string flags, int width, string kind)
    {
        if (flags.Contains('-', StringComparison.Ordinal)) return text.PadRight(width);
        if (!flags.Contains('0', StringComparison.Ordinal) || kind is "s" or "r") return text.PadLeft(width);
        return text.StartsWith('-') ? "-" + text[1..].PadLeft(width - 1, '0') : text.PadLeft(width, '0');
    }

    private static string Truncate(string text, int? precision) => precision < text.Length ? text[..precision.Value] : text;

    private static int? Size(Group group) => !group.Success || group.Length == 0 ? null
        : int.TryParse(group.Value, CultureInfo.InvariantCulture, out var size) && size <= WidestField ? size
        : throw new ChatTemplateException($"a width or precision of {group.Value} is more than {WidestField}");

    private static long Integer(object value, string kind) => Number(value, kind) is { IsInteger: true } number
        ? number.Integer
        : (long)Math.Truncate(Number(value, kind).Float);

    private static PythonNumber Number(object value, string kind) => PythonNumber.TryRead(value, out var number) ? number
        : throw new ChatTemplateException($"%{kind} format: a number is required, not {PythonType.Name(value)}");

    [GeneratedRegex(@"%(?<flags>[-0]*)(?<width>[0-9]*)(?:\.(?<precision>[0-9]+))?(?<kind>.|$)", RegexOptions.Singleline)]
    private static partial Regex Conversion();
}
