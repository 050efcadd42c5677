using System.CommandLine;
using System.Globalization;

namespace DeRa.Cli.Arguments;

/// <summary>Options that are whole numbers of a range; another number is an error that names the option and its range.</summary>
internal static class WholeNumberOption
{
    /// <summary>An option that always has a value.</summary>
    public static Option<int> Create(
        string name, string description, int value, int minimum, int maximum, params string[] aliases)
    {
        var option = new Option<int>(name, aliases)
        {
            Description = $"{description}; {minimum} to {maximum}",
            DefaultValueFactory = _ => value,
        };
        return Bounded(option, minimum, maximum);
    }

    /// <summary>An option without a default; null = not given.</summary>
    public static Option<int?> CreateOptional(
        string name, string description, int minimum, int maximum, params string[] aliases) =>
        Bounded(new Option<int?>(name, aliases) { Description = $"{description}; {minimum} to {maximum}" }, minimum, maximum);

    private static Option<T> Bounded<T>(Option<T> option, int minimum, int maximum)
    {
        option.Validators.Add(result =>
        {
            // The parser itself refuses what is not a whole number, after this.
            var text = result.Tokens is [.., var last] ? last.Value : null;
            if (long.TryParse(text, CultureInfo.InvariantCulture, out var given) && (given < minimum || given > maximum))
                result.AddError($"{option.Name} is {given}; it must be from {minimum} to {maximum}.");
        });
        return option;
    }
}
