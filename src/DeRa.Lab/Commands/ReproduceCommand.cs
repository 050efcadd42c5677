using System.CommandLine;
using DeRa.Lab.Data;
using DeRa.Lab.Reproduction;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab reproduce length</c>: the paper's central experiment.</summary>
internal sealed class ReproduceCommand
{
    private readonly TextOptions _text = new(new Option<string[]>("--text")
    {
        Description = "Files with texts to learn from instead of the built-in grammar's, <|endoftext|> between them; takes hours",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    });

    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder for models, evaluations and the report",
        Required = true,
    };

    private readonly Option<long[]> _seeds = new("--seeds")
    {
        Description = "One run each; the report takes all together",
        DefaultValueFactory = _ => [1, 2, 3],
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<double[]> _strengths = new("--strengths")
    {
        Description = "Strengths λ, 0 and 1 among them; a model is retrained for each other one; default: 0, 0.2 … 2",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _small = new("--small")
    {
        Description = "A minute's version with tiny models: shows that it runs, proves nothing",
    };

    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new ReproduceCommand();
        var length = new Command("length",
            "SFT once; align at β for a length of 40 to 50 tokens; decode at λ = 0, 0.2 … 2; retrain at each β/λ; "
            + "report both side by side, with interpolated weights and an over-optimised DPO pair. Interrupted, the same command goes on.")
        {
            arguments._output, arguments._seeds, arguments._strengths, arguments._small,
        };
        arguments._text.AddTo(length);
        arguments._compute.AddTo(length);
        length.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return new Command("reproduce", "Repeat the paper's experiment on models small enough for this machine, or train the default pair.")
        {
            length, ReproduceStoriesCommand.Create(),
        };
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var given = _text.Read(parsed);
        var settings = parsed.GetValue(_small) ? LengthSettings.Small : new LengthSettings();
        if (parsed.GetRequiredValue(_strengths) is { Length: > 0 } strengths)
            settings = settings with { Strengths = Checked(strengths) };
        var device = _compute.Load(parsed);
        var (output, folder) = (parsed.InvocationConfiguration.Output, parsed.GetRequiredValue(_output));
        output.WriteLine(given.Count > 0 ? $"{given.Count} documents of {_text.Source(parsed)}"
            : $"{settings.Texts} texts of the built-in grammar a seed; --text takes others");
        var results = parsed.GetRequiredValue(_seeds).Distinct().Select(Experiment).Select(experiment => experiment.Run()).ToArray();
        new LengthReport(settings, results).Write(folder, output);
        return 0;

        LengthExperiment Experiment(long seed) =>
            new(Path.Combine(folder, $"seed-{seed}"), settings, seed, Texts(seed), device, output, cancellation);

        IReadOnlyList<Document> Texts(long seed) => given.Count > 0 ? given : LengthGrammar.Texts(settings.Texts, seed);
    }

    private static double[] Checked(double[] strengths) =>
        strengths.Contains(0) && strengths.Contains(1) && strengths.All(strength => strength is >= 0 and <= 10)
            ? [.. strengths.Distinct().Order()]
            : throw new LabException("--strengths must hold 0 and 1, and others between 0 and 10.");
}
