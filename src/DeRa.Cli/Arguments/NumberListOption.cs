using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace DeRa.Cli.Arguments;

/// <summary>An option of numbers of a range with commas between them; another text is an error that names option and range.</summary>
/// <typeparam name="T">The numbers' type.</typeparam>
internal sealed class NumberListOption<T> : Option<T[]>
    where T : INumber<T>
{
    private readonly T[] _numbers;
    private readonly T _minimum;
    private readonly T _maximum;

    /// <param name="name">Its name.</param>
    /// <param name="description">What it is; range and default are added.</param>
    /// <param name="numbers">The default; empty = none.</param>
    /// <param name="minimum">The smallest number that is allowed.</param>
    /// <param name="maximum">The largest.</param>
    /// <param name="aliases">Other names.</param>
    public NumberListOption(string name, string description, T[] numbers, T minimum, T maximum, params string[] aliases)
        : base(name, aliases)
    {
        (_numbers, _minimum, _maximum) = (numbers, minimum, maximum);
        var given = numbers.Length == 0 ? "" : $" [default: {string.Join(',', numbers)}]";
        Description = string.Create(CultureInfo.InvariantCulture,
            $"{description}; {minimum} to {maximum}, with commas between several{given}");
        Arity = ArgumentArity.ExactlyOne;
        CustomParser = Read;
    }

    /// <summary>The numbers that are given, or the default.</summary>
    public T[] NumbersOf(ParseResult parsed) => parsed.GetResult(this) is null ? _numbers : parsed.GetRequiredValue(this);

    private T[] Read(ArgumentResult result)
    {
        var numbers = new List<T>();
        foreach (var part in result.Tokens[0].Value.Split(','))
        {
            if (T.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && number >= _minimum && number <= _maximum)
                numbers.Add(number);
            else
                result.AddError(string.Create(CultureInfo.InvariantCulture,
                    $"{Name} holds '{part}'; it must be numbers from {_minimum} to {_maximum} with commas between them."));
        }
        return [.. numbers];
    }
}
