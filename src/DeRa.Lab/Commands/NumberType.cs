using System.CommandLine;
using static TorchSharp.torch;

namespace DeRa.Lab.Commands;

/// <summary>Options that name an element type: float32, their default, or bfloat16.</summary>
internal static class NumberType
{
    /// <summary>Declares an option.</summary>
    public static Option<string> Create(string name, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => "float32" };

    /// <summary>The type that was given.</summary>
    /// <exception cref="LabException">It is neither.</exception>
    public static ScalarType Parse(Option<string> option, ParseResult parsed) => parsed.GetRequiredValue(option) switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        var name => throw new LabException($"{option.Name} is '{name}'; it must be float32 or bfloat16."),
    };
}
