using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace DeRa.Hosting.Options;

/// <summary>One option: a property of a program's options, or of one of their groups, and the names under which it is set.</summary>
public sealed class OptionEntry
{
    private readonly PropertyInfo? _group;
    private readonly PropertyInfo _property;
    private readonly OptionAttribute? _text;
    private readonly double _low;
    private readonly double _high;

    /// <summary>Describes an option.</summary>
    /// <param name="group">The property that holds its group; null = it stands in no group.</param>
    /// <param name="property">The property, which has a description.</param>
    /// <param name="environmentPrefix">What the names of environment variables begin with.</param>
    internal OptionEntry(PropertyInfo? group, PropertyInfo property, string environmentPrefix)
    {
        (_group, _property) = (group, property);
        _text = property.GetCustomAttribute<OptionAttribute>();
        var range = property.GetCustomAttribute<RangeAttribute>();
        _low = Bound(range?.Minimum, double.NegativeInfinity);
        _high = Bound(range?.Maximum, double.PositiveInfinity);
        Description = property.GetCustomAttribute<DescriptionAttribute>()!.Description;
        Name = JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name);
        EnvironmentName = environmentPrefix + JsonNamingPolicy.SnakeCaseUpper.ConvertName(property.Name);
        IsList = property.PropertyType == typeof(IReadOnlyList<string>);
        IsSecret = property.PropertyType == typeof(Secret);
    }

    /// <summary>Its name in the configuration file; the command line puts <c>--</c> before it.</summary>
    public string Name { get; }

    /// <summary>Its name in the environment.</summary>
    public string EnvironmentName { get; }

    /// <summary>What it sets, with its unit.</summary>
    public string Description { get; }

    /// <summary>Whether several values may be given.</summary>
    public bool IsList { get; }

    /// <summary>Whether the value must not be seen.</summary>
    public bool IsSecret { get; }

    /// <summary>Whether others may read the value: it is neither a secret nor a place on this machine.</summary>
    public bool IsPublic => !IsSecret && Placeholder is not ("FILE" or "FOLDER");

    /// <summary>What stands for the value in <c>--help</c>.</summary>
    public string Placeholder => _text?.Placeholder
        ?? (IsFlag ? "true|false" : IsChoice ? string.Join('|', OptionWords.All(ValueType)) : IsText ? "TEXT" : "N");

    /// <summary>The allowed values in words; empty where any text will do.</summary>
    public string Allowed => IsText ? ""
        : IsFlag ? "true or false"
        : IsChoice ? OptionWords.Allowed(ValueType)
        : (ValueType == typeof(double) ? "a number" : "a whole number") + $" from {Text(_low)} to {Text(_high)}";

    /// <summary>Reads a value.</summary>
    /// <param name="text">The value as it was given.</param>
    /// <param name="origin">Where it was given, for the error.</param>
    /// <exception cref="OptionException">It is no such value or lies outside the range.</exception>
    public object Parse(string text, string origin)
    {
        if (IsText) return text.Length == 0 ? throw Bad(text, origin, "not empty") : IsSecret ? new Secret(text) : text;
        if (IsFlag) return bool.TryParse(text, out var flag) ? flag : throw Bad(text, origin, Allowed);
        if (IsChoice) return OptionWords.Find(ValueType, text) ?? throw Bad(text, origin, Allowed);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !InRange(number))
            throw Bad(text, origin, Allowed);
        if (ValueType == typeof(double)) return number;
        if (number != Math.Floor(number)) throw Bad(text, origin, Allowed);
        return Convert.ChangeType(number, ValueType, CultureInfo.InvariantCulture);
    }

    /// <summary>The value that these options have.</summary>
    public object? Get(object options) => _property.GetValue(Holder(options));

    /// <summary>Sets the value; nobody else may have seen these options yet.</summary>
    internal void Set(object options, object value) => _property.SetValue(Holder(options), value);

    /// <summary>The default in words; empty where there is none.</summary>
    internal string DefaultText(object defaults) => _text?.DefaultText ?? Get(defaults) switch
    {
        bool flag => flag ? "true" : "false",
        Enum choice => OptionWords.Format(choice),
        var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private OptionException Bad(string text, string origin, string allowed) =>
        new($"--{Name} is '{text}' ({origin}); it must be {allowed}.");

    private object Holder(object options) => _group is null ? options : _group.GetValue(options)!;

    private Type ValueType => IsList ? typeof(string) : Nullable.GetUnderlyingType(_property.PropertyType) ?? _property.PropertyType;

    private bool IsText => ValueType == typeof(string) || IsSecret;

    private bool IsFlag => ValueType == typeof(bool);

    private bool IsChoice => ValueType.IsEnum;

    private bool InRange(double number) => number >= _low && number <= _high && double.IsFinite(number);

    private static double Bound(object? bound, double none) =>
        bound is null ? none : Convert.ToDouble(bound, CultureInfo.InvariantCulture);

    private static string Text(double bound) => bound.ToString("0.######", CultureInfo.InvariantCulture);
}
