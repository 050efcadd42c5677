using System.CommandLine;

namespace DeRa.Lab.Commands;

/// <summary>The temperature of samples.</summary>
internal static class TemperatureOption
{
    /// <summary>Creates one.</summary>
    public static Option<double> Create(double value = 1) => new("--temperature")
    {
        Description = "What the mixed logits are divided by, 0.01 to 2; at 1 the samples are the mixture's own",
        DefaultValueFactory = _ => value,
    };
}
