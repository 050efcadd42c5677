using System.CommandLine;

namespace DeRa.Cli.Bench.Pairs;

/// <summary><c>dera bench pair</c>: writes a random pair, for servers and other programs to run.</summary>
internal static class PairCommand
{
    private static readonly Argument<string> s_shape = new("shape") { Description = "The models' size" };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = $"Folder that takes the models' folders, {RandomPairWriter.Reference} and {RandomPairWriter.Aligned}",
        Required = true,
    };

    private static readonly Option<double?> s_noise = NoiseOption.Create();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        s_shape.AcceptOnlyFromAmong([.. RandomShape.ByName.Keys]);
        var command = new Command("pair",
            "Write a pair of random weights in Hugging Face layout. The aligned model is the reference and noise, so that benchmarks "
            + "of turns have guesses that are right as often as those of a real pair. Always the same pair.")
        {
            s_shape, s_output, s_noise,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (shape, folder) = (RandomShape.ByName[parsed.GetRequiredValue(s_shape)], parsed.GetRequiredValue(s_output));
        string[] models = [Path.Combine(folder, RandomPairWriter.Reference), Path.Combine(folder, RandomPairWriter.Aligned)];
        if (models.FirstOrDefault(Path.Exists) is { } there)
            throw new FormatException($"--output is {folder}, but {there} exists already; name a folder that has neither model.");
        var console = parsed.InvocationConfiguration;
        RandomPairWriter.Write(shape, parsed.GetValue(s_noise) ?? shape.Noise, folder, console.Error, cancellation);
        console.Output.WriteLine($"--reference {models[0]} --aligned {models[1]}");
        return 0;
    }
}
