using System.Globalization;
using System.Numerics;

namespace DeRa.Text.Templates.Values;

/// <summary>
/// A Python number: an integer (of 64 bits here, larger ones are an error) or a float. Booleans are the integers 0 and 1.
/// </summary>
internal readonly record struct PythonNumber(bool IsInteger, long Integer, double Float)
{
    public bool IsZero => Float == 0;

    public static bool TryRead(object value, out PythonNumber number)
    {
        number = value switch
        {
            bool flag => Of(flag ? 1 : 0),
            long integer => Of(integer),
            double real => new PythonNumber(false, 0, real),
            _ => default,
        };
        return value is bool or long or double;
    }

    public static int? Compare(PythonNumber left, PythonNumber right) => left.IsInteger && right.IsInteger
        ? left.Integer.CompareTo(right.Integer)
        : double.IsNaN(left.Float) || double.IsNaN(right.Float) ? null : left.Float.CompareTo(right.Float);

    public static object Add(PythonNumber left, PythonNumber right) => Of(left, right, (a, b) => checked(a + b), (a, b) => a + b);

    public static object Subtract(PythonNumber left, PythonNumber right) => Of(left, right, (a, b) => checked(a - b), (a, b) => a - b);

    public static object Multiply(PythonNumber left, PythonNumber right) => Of(left, right, (a, b) => checked(a * b), (a, b) => a * b);

    public static object Divide(PythonNumber left, PythonNumber right) => left.Float / NotZero(right).Float;

    public static object FloorDivide(PythonNumber left, PythonNumber right) =>
        Of(left, NotZero(right), FloorDivide, (a, b) => Math.Floor(a / b));

    public static object Modulo(PythonNumber left, PythonNumber right) =>
        Of(left, NotZero(right), (a, b) => b == -1 ? 0 : Floored(a % b, b), (a, b) => Floored(a % b, b));

    public static object Power(PythonNumber left, PythonNumber right) => left.IsInteger && right is { IsInteger: true, Integer: >= 0 }
        ? Integral(() => IntegerPower(left.Integer, right.Integer))
        : left.IsZero && right.Float < 0 ? throw new ChatTemplateException("0 cannot be raised to a negative power")
        : (object)Math.Pow(left.Float, right.Float);

    /// <summary>The shortest text that reads back as the same float, as Python's repr has it.</summary>
    public static string Text(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var digits = value.ToString("E16", CultureInfo.InvariantCulture);
        var exponent = value == 0 ? 0
            : int.Parse(digits.AsSpan(digits.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        return exponent is >= -4 and < 16 ? Plain(value, shortest) : Scientific(shortest, exponent);
    }

    private static PythonNumber Of(long integer) => new(true, integer, integer);

    private static object Of(PythonNumber left, PythonNumber right, Func<long, long, long> integers, Func<double, double, double> floats) =>
        left.IsInteger && right.IsInteger ? Integral(() => integers(left.Integer, right.Integer)) : (object)floats(left.Float, right.Float);

    private static long Integral(Func<long> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException)
        {
            throw new ChatTemplateException("makes an integer of more than 64 bits");
        }
    }

    private static long FloorDivide(long left, long right)
    {
        if (right == -1) return checked(-left);
        var quotient = left / right;
        return left % right != 0 && left < 0 != right < 0 ? quotient - 1 : quotient;
    }

    /// <summary>The remainder with the sign of the divisor, as Python has it, of one with the dividend's.</summary>
    private static T Floored<T>(T remainder, T divisor) where T : INumber<T> =>
        !T.IsZero(remainder) && T.IsNegative(remainder) != T.IsNegative(divisor) ? remainder + divisor : remainder;

    private static long IntegerPower(long value, long exponent)
    {
        if (value is 0 or 1 or -1) return exponent == 0 || value == 1 || (value == -1 && exponent % 2 == 0) ? 1 : value;
        var power = 1L;
        for (var i = 0L; i < exponent; i++) power = checked(power * value);
        return power;
    }

    private static PythonNumber NotZero(PythonNumber divisor) =>
        divisor.IsZero ? throw new ChatTemplateException("divides by zero") : divisor;

    private static string Plain(double value, string shortest)
    {
        // The shortest form of a number such as 1E-05 or 1E+15 has an exponent where Python has none yet.
        if (shortest.Contains('E', StringComparison.Ordinal)) shortest = ((decimal)value).ToString(CultureInfo.InvariantCulture);
        return shortest.Contains('.', StringComparison.Ordinal) ? shortest : shortest + ".0";
    }

    private static string Scientific(string shortest, int exponent)
    {
        var end = shortest.IndexOf('E', StringComparison.Ordinal);
        var sign = shortest.StartsWith('-') ? "-" : "";
        var digits = new string([.. (end < 0 ? shortest : shortest[..end]).Where(char.IsAsciiDigit)]).TrimStart('0');
        if (end < 0) digits = digits.TrimEnd('0');
        var mantissa = digits.Length > 1 ? $"{digits[0]}.{digits[1..]}" : digits;
        return $"{sign}{mantissa}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent):00}";
    }
}
