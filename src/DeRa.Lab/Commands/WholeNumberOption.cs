using System.CommandLine;
using System.Globalization;

namespace DeRa.Lab.Commands;

/// <summary>Options that are whole numbers of at least a minimum.</summary>
internal static class WholeNumberOption
{
    /// <summary>Creates one; its description ends with the minimum, and a smaller number is an error that names the option.</summary>
    public static Option<int> Create(string name, string description, int value, int minimum = 1)
    {
        var option = new Option<int>(name) { Description = $"{description}; at least {minimum}", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            // The parser itself refuses what is not a whole number, after this.
            var text = result.Tokens is [.., var last] ? last.Value : null;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out var given) && given < minimum)
                result.AddError($"{name} must be at least {minimum}.");
        });
        return option;
    }
}
