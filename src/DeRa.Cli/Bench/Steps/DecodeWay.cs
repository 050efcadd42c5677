using DeRa.Engine.Scheduling;

namespace DeRa.Cli.Bench.Steps;

/// <summary>How a token is decoded.</summary>
/// <param name="Name">What it is called in reports.</param>
/// <param name="Strength">The strength λ.</param>
/// <param name="Speculation">Whether models take turns.</param>
internal sealed record DecodeWay(string Name, double Strength, Speculation Speculation)
{
    /// <summary>
    /// The pair in one step and in turns, and each model alone. The pair comes first: its prompts are then in the cache for the others.
    /// </summary>
    public static IReadOnlyList<DecodeWay> Of(double strength) =>
    [
        new("pair", strength, Speculation.Off),
        new("reference alone", 0, Speculation.Off),
        new("aligned alone", 1, Speculation.Off),
        new("pair in turns", strength, Speculation.On),
    ];
}
