namespace DeRa.Hosting.Options;

/// <summary>
/// Declares a property of <see cref="ServerOptions"/> as an option. The option's name, its environment variable and its key
/// in the configuration file all follow from the property's name; its default is the property's initial value.
/// </summary>
/// <param name="help">What it sets, with its unit; shown by <c>--help</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string help) : Attribute
{
    /// <summary>What it sets, with its unit.</summary>
    public string Help { get; } = help;

    /// <summary>What stands for the value in <c>--help</c>; null = by its type.</summary>
    public string? Placeholder { get; init; }

    /// <summary>Lowest number allowed.</summary>
    public double Low { get; init; } = double.NegativeInfinity;

    /// <summary>Highest number allowed.</summary>
    public double High { get; init; } = double.PositiveInfinity;

    /// <summary>What the default is, in words, where the initial value does not say it.</summary>
    public string? DefaultText { get; init; }
}
