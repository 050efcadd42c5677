using System.Globalization;

namespace DeRa.Engine.Text.Templates.Library;

/// <summary>Python's <c>strftime</c> on the local time, in English.</summary>
internal static class TimeFormat
{
    private const string Known = "%a, %A, %b, %B, %c, %d, %e, %f, %F, %H, %I, %j, %m, %M, %p, %S, %T, %u, %w, %x, %X, %y, %Y, %z, %Z, %%, and '-' after the %";

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
        'a' => now.ToString("ddd", CultureInfo.InvariantCulture),
        'A' => now.ToString("dddd", CultureInfo.InvariantCulture),
        'b' or 'h' => now.ToString("MMM", CultureInfo.InvariantCulture),
        'B' => now.ToString("MMMM", CultureInfo.InvariantCulture),
        'c' => now.ToString("ddd MMM ", CultureInfo.InvariantCulture) + now.ToString("%d", CultureInfo.InvariantCulture).PadLeft(2) + now.ToString(" HH:mm:ss yyyy", CultureInfo.InvariantCulture),
        'd' => now.ToString("dd", CultureInfo.InvariantCulture),
        'e' => now.ToString("%d", CultureInfo.InvariantCulture).PadLeft(2),
        'f' => now.ToString("ffffff", CultureInfo.InvariantCulture),
        'F' => now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        'H' => now.ToString("HH", CultureInfo.InvariantCulture),
        'I' => now.ToString("hh", CultureInfo.InvariantCulture),
        'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'm' => now.ToString("MM", CultureInfo.InvariantCulture),
        'M' => now.ToString("mm", CultureInfo.InvariantCulture),
        'p' => now.ToString("tt", CultureInfo.InvariantCulture),
        'S' => now.ToString("ss", CultureInfo.InvariantCulture),
        'T' or 'X' => now.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'x' => now.ToString("MM/dd/yy", CultureInfo.InvariantCulture),
        'y' => now.ToString("yy", CultureInfo.InvariantCulture),
        'Y' => now.ToString("yyyy", CultureInfo.InvariantCulture),
        // Python's datetime.now() knows no time zone, so that these are empty.
        'z' or 'Z' => "",
        '%' => "%",
        _ => throw new ChatTemplateException($"strftime_now() does not know '%{directive}' (known: {Known})"),
    };
}
