using System.Globalization;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>Filters on numbers.</summary>
internal static class NumberFilters
{
    private const int MostDigits = 300;

    public static object Abs(TemplateRun run, object value, Arguments arguments)
    {
        arguments.BindNone("abs");
        var number = Number(value, "abs");
        return number is { IsInteger: true, Integer: long.MinValue }
            ? throw new ChatTemplateException("makes an integer of more than 64 bits")
            : number.IsInteger ? Math.Abs(number.Integer) : (object)Math.Abs(number.Float);
    }

    public static object Int(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("int", 0, "default", "base");
        if (value is Undefined undefined) throw undefined.Error;
        if (value is string read) run.CountText(read.Length);
        var numberBase = Parameters.OptionalInteger(given[1], "'base' of int()") ?? 10;
        if (value is string text && ParseInteger(text, numberBase) is { } integer) return integer;
        var isNumber = PythonNumber.TryRead(value, out var number) || TryParse(value, out number);
        return (isNumber ? Whole(number) : null) ?? given[0] ?? 0L;
    }

    public static object Float(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("float", 0, "default");
        if (value is Undefined undefined) throw undefined.Error;
        if (value is string read) run.CountText(read.Length);
        return PythonNumber.TryRead(value, out var number) || TryParse(value, out number) ? number.Float : given[0] ?? 0.0;
    }

    public static object Round(TemplateRun run, object value, Arguments arguments)
    {
        var given = arguments.Bind("round", 0, "precision", "method");
        var digits = Parameters.OptionalInteger(given[0], "'precision' of round()") ?? 0;
        if (digits is < -MostDigits or > MostDigits)
            throw new ChatTemplateException($"'precision' of round() must be from -{MostDigits} to {MostDigits}");
        var number = Number(value, "round");
        var scale = Math.Pow(10, digits);
        return Parameters.OptionalText(given[1], "'method' of round()") switch
        {
            null or "common" when number.IsInteger => digits >= 0 ? number.Integer : (long)Common(number, (int)digits),
            null or "common" => Common(number, (int)digits),
            "ceil" => Math.Ceiling(number.Float * scale) / scale,
            "floor" => Math.Floor(number.Float * scale) / scale,
            _ => (object)Unknown(),
        };

        static object Unknown() => throw new ChatTemplateException("method must be common, ceil or floor");
    }

    /// <summary>Python rounds the exact decimal value, halves to even.</summary>
    private static double Common(PythonNumber number, int digits)
    {
        if (digits == 0) return Math.Round(number.Float, MidpointRounding.ToEven);
        if (digits is > 0 and <= MostDigits)
            return double.Parse(number.Float.ToString("F" + digits, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var scale = Math.Pow(10, -digits);
        return Math.Round(number.Float / scale, MidpointRounding.ToEven) * scale;
    }

    private static PythonNumber Number(object value, string filter) => PythonNumber.TryRead(value, out var number) ? number
        : throw (value as Undefined)?.Error ?? new ChatTemplateException($"{filter} needs a number, not {PythonType.Name(value)}");

    private static object? Whole(PythonNumber number) => number.IsInteger ? number.Integer
        : Math.Abs(number.Float) < long.MaxValue ? (long)Math.Truncate(number.Float) : null;

    private static bool TryParse(object value, out PythonNumber number)
    {
        var read = 0.0;
        var parsed = value is string text && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float,
            CultureInfo.InvariantCulture, out read);
        number = new PythonNumber(false, 0, read);
        return parsed;
    }

    private static long? ParseInteger(string text, long numberBase)
    {
        var digits = PythonString.Strip(text, null, left: true, right: true).Replace("_", "", StringComparison.Ordinal);
        var negative = digits.StartsWith('-');
        if (digits is ['-' or '+', ..]) digits = digits[1..];
        if (Prefix(numberBase) is { } prefix && digits.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) digits = digits[2..];
        if (digits.Length == 0) return null;
        Int128 number = 0;
        foreach (var digit in digits)
        {
            var value = char.IsAsciiLetter(digit) ? char.ToLowerInvariant(digit) - 'a' + 10 : digit - '0';
            if (!char.IsAsciiLetterOrDigit(digit) || value >= numberBase) return null;
            number = number * numberBase + value;
            if (number > long.MaxValue) throw new ChatTemplateException("makes an integer of more than 64 bits");
        }
        return (long)(negative ? -number : number);
    }

    private static string? Prefix(long numberBase) => numberBase switch { 16 => "0x", 8 => "0o", 2 => "0b", _ => null };
}
