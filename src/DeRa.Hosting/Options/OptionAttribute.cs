using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeRa.Hosting.Options;

/// <summary>
/// What <c>--help</c> says of an option beyond its <see cref="DescriptionAttribute"/>, which makes a property an option, and its
/// <see cref="RangeAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute : Attribute
{
    /// <summary>What stands for the value; null = by its type.</summary>
    public string? Placeholder { get; init; }

    /// <summary>What the default is, in words, where the initial value does not say it.</summary>
    public string? DefaultText { get; init; }
}
