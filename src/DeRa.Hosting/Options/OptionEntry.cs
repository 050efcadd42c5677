using System.Globalization;
using System.Reflection;
using System.Text.Json;
using DeRa.Server.Options;

namespace DeRa.Hosting.Options;

/// <summary>One row of the option table: a property of <see cref="ServerOptions"/> and the names under which it is set.</summary>
/// <param name="Property">The property.</param>
/// <param name="Declared">What it was declared with.</param>
internal sealed record OptionEntry(PropertyInfo Property, OptionAttribute Declared)
{
    /// <summary>Whether several values may be given.</summary>
    public bool IsList { get; } = Property.PropertyType == typeof(IReadOnlyList<string>);

    /// <summary>Whether the value must not be seen.</summary>
    public bool IsSecret { get; } = Property.PropertyType == typeof(Secret);

    private Type ValueType => IsList ? typeof(string) : Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;

    /// <summary>As the configuration file spells it; the command line puts <c>--</c> before it.</summary>
    public string Name { get; } = JsonNamingPolicy.KebabCaseLower.ConvertName(Property.Name);

    /// <summary>As the environment spells it.</summary>
    public string EnvironmentName { get; } =
        OptionTable.EnvironmentPrefix + JsonNamingPolicy.SnakeCaseUpper.ConvertName(Property.Name);

    /// <summary>What stands for the value in <c>--help</c>.</summary>
    public string Placeholder => Declared.Placeholder ?? (IsFlag ? "true|false" : IsText ? "TEXT" : "N");

    /// <summary>Reads a value.</summary>
    /// <param name="text">The value as it was given.</param>
    /// <param name="origin">Where it was given, for the error.</param>
    /// <exception cref="OptionException">It is no such value or lies outside the range.</exception>
    public object Parse(string text, string origin)
    {
        if (IsText) return text.Length == 0 ? throw Bad(text, origin, "not empty") : IsSecret ? new Secret(text) : text;
        if (IsFlag) return bool.TryParse(text, out var flag) ? flag : throw Bad(text, origin, Allowed);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !InRange(number))
            throw Bad(text, origin, Allowed);
        if (ValueType == typeof(double)) return number;
        if (number != Math.Floor(number)) throw Bad(text, origin, Allowed);
        return Convert.ChangeType(number, ValueType, CultureInfo.InvariantCulture);
    }

    /// <summary>The allowed values in words; empty where any text will do.</summary>
    public string Allowed => IsText ? ""
        : IsFlag ? "true or false"
        : (ValueType == typeof(double) ? "a number" : "a whole number") + $" from {Text(Low)} to {Text(High)}";

    /// <summary>The default in words; empty where there is none.</summary>
    public string DefaultText(ServerOptions defaults) => Declared.DefaultText
        ?? (Property.GetValue(defaults) is bool flag ? (flag ? "true" : "false")
            : Convert.ToString(Property.GetValue(defaults), CultureInfo.InvariantCulture) ?? "");

    /// <summary>The error for a value that will not do.</summary>
    public OptionException Bad(string text, string origin, string allowed) =>
        new($"--{Name} is '{text}' ({origin}); it must be {allowed}.");

    private bool IsText => ValueType == typeof(string) || IsSecret;

    private bool IsFlag => ValueType == typeof(bool);

    private double Low => Declared.Low;

    private double High => Declared.High;

    private bool InRange(double number) => number >= Low && number <= High && double.IsFinite(number);

    private static string Text(double bound) => bound.ToString("0.######", CultureInfo.InvariantCulture);
}
