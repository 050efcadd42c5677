using System.Globalization;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Python's <c>strftime</c> on the local time, in English.</summary>
internal static class TimeFormat
{
    private const string Known = "%a, %A, %b, %B, %c, %d, %e, %f, %F, %h, %H, %I, %j, %m, %M, %p, %S, %T, %u, %w, %x, %X, %y, %Y, %z, "
        + "%Z, %%, and '-' after the %";

    public static string Apply(string format, TemplateRun run)
    {
        var now = run.Time.GetLocalNow();
        var text = new TemplateText(run);
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            var plain = i + 1 < format.Length && format[i + 1] == '-';
            i += plain ? 2 : 1;
            var part = Part(i < format.Length ? format[i] : ' ', now);
            text.Append(plain ? part.TrimStart('0', ' ') is { Length: > 0 } trimmed ? trimmed : "0" : part);
        }
        return text.ToString();
    }

    private static string Part(char directive, DateTimeOffset now) => directive switch
    {
        'a' => Text(now, "ddd"),
        'A' => Text(now, "dddd"),
        'b' or 'h' => Text(now, "MMM"),
        'B' => Text(now, "MMMM"),
        'c' => Text(now, "ddd MMM ") + Text(now, "%d").PadLeft(2) + Text(now, " HH:mm:ss yyyy"),
        'd' => Text(now, "dd"),
        'e' => Text(now, "%d").PadLeft(2),
        'f' => Text(now, "ffffff"),
        'F' => Text(now, "yyyy-MM-dd"),
        'H' => Text(now, "HH"),
        'I' => Text(now, "hh"),
        'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'm' => Text(now, "MM"),
        'M' => Text(now, "mm"),
        'p' => Text(now, "tt"),
        'S' => Text(now, "ss"),
        'T' or 'X' => Text(now, "HH:mm:ss"),
        'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'x' => Text(now, "MM/dd/yy"),
        'y' => Text(now, "yy"),
        'Y' => Text(now, "yyyy"),
        // Python's datetime.now() knows no time zone, so that these are empty.
        'z' or 'Z' => "",
        '%' => "%",
        _ => throw new ChatTemplateException($"strftime_now() does not know '%{directive}' (known: {Known})"),
    };

    private static string Text(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
