using System.Text.RegularExpressions;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Python's <c>text.format(…)</c> with {}, {0}, {name} and doubled braces; format specifications are refused.</summary>
internal static partial class BraceFormat
{
    public static string Apply(string format, Arguments arguments, TemplateRun run)
    {
        var text = new TemplateText(run);
        var (done, next) = (0, 0);
        run.CountText(format.Length);
        // One match after the other: a collection would keep them all.
        for (var match = Field().Match(format); match.Success; match = match.NextMatch())
        {
            run.Count(1);
            text.Append(format[done..match.Index]);
            done = match.Index + match.Length;
            text.Append(match.Value is "{{" or "}}" ? match.Value[..1] : PythonText.Of(Value(match, arguments, ref next), run));
        }
        return text.Append(format[done..]).ToString();
    }

    private static object Value(Match match, Arguments arguments, ref int next)
    {
        var name = match.Groups["name"];
        if (!name.Success) throw new ChatTemplateException($"format() knows {{}}, {{0}} and {{name}}, not '{match.Value}'");
        if (name.Length == 0 || char.IsAsciiDigit(name.Value[0]))
            return Place(name.Length == 0 ? next++ : int.TryParse(name.Value, out var place) ? place : int.MaxValue, arguments);
        foreach (var (given, value) in arguments.Names)
            if (given == name.Value) return value;
        throw new ChatTemplateException($"format() lacks the argument '{name.Value}'");
    }

    private static object Place(int place, Arguments arguments) => place < arguments.Places.Count ? arguments.Places[place]
        : throw new ChatTemplateException($"format() lacks the argument at place {place}");

    [GeneratedRegex(@"\{\{|\}\}|\{(?<name>[0-9]*|[A-Za-z_][A-Za-z_0-9]*)\}|\{[^}]*\}?|\}")]
    private static partial Regex Field();
}
