using System.CommandLine;
using System.Globalization;

namespace DeRa.Cli.Bench.Pairs;

/// <summary><c>--noise</c>, of every command that writes a random pair.</summary>
internal static class NoiseOption
{
    /// <summary>Makes the option; a number outside its range is an error.</summary>
    public static Option<double?> Create()
    {
        var option = new Option<double?>("--noise")
        {
            Description = "Deviation of what the random pair's aligned model is off the reference by, over that of the weights, 0 to 10 "
                + "(default: the shape's, with which turns guess .90 to .92 of the tokens at strength .5 and temperature 1; "
                + "for 7b that is estimated)",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [.., var last] && double.TryParse(last.Value, CultureInfo.InvariantCulture, out var noise)
                && noise is not (>= 0 and <= 10))
                result.AddError($"--noise is {last.Value}; it must be from 0 to 10.");
        });
        return option;
    }
}
