using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using DeRa.Cli.Arguments;
using DeRa.Cli.Bench.Pairs;
using DeRa.Serving.Loading;
using DeRa.Torch.Execution;

namespace DeRa.Cli.Bench.Steps;

/// <summary><c>dera bench steps</c>: how fast this machine decodes and reads prompts with a pair.</summary>
internal static class StepsCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    private static readonly PairArguments s_pair = new();

    private static readonly Option<string?> s_random = new("--random-pair")
    {
        Description = "Run a pair of random weights of this size instead, which is written to a temporary folder and removed",
    };

    private static readonly Option<double?> s_noise = NoiseOption.Create();

    private static readonly NumberListOption<int> s_batches = new("--batch", "Sequences that decode at once", [1, 2, 4, 8], 1, 256);

    private static readonly NumberListOption<int> s_contexts = new(
        "--context", "Tokens of the prompts from which they decode", [128], 1, 1 << 20);

    private static readonly Option<int> s_prompt = WholeNumberOption.Create(
        "--prompt", "Tokens of the prompt that is read, and of the text that is scored", 512, 2, 1 << 16);

    private static readonly Option<int> s_tokens = WholeNumberOption.Create(
        "--tokens", "Tokens that each sequence decodes in each round", 32, 2, 1 << 16);

    private static readonly Option<int> s_rounds = WholeNumberOption.Create("--rounds", "Rounds; medians are reported", 3, 1, 1000);

    private static readonly Option<double> s_strength = new("--strength")
    {
        Description = "The strength λ at which both models run; -100 to 100, not 0 or 1",
        DefaultValueFactory = _ => .5,
    };

    private static readonly ReportFiles s_files = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        s_random.AcceptOnlyFromAmong([.. RandomShape.ByName.Keys]);
        var command = new Command("steps",
            "Measure in this process how fast a pair decodes and reads prompts: each model alone, the pair in "
            + "one step and in turns, how much of the memory's bandwidth that takes, and what scoring a text at 21 strengths takes over "
            + "scoring it at one. Without a pair the default pair runs. Let nothing else run.")
        {
            s_batches, s_contexts, s_prompt, s_tokens, s_rounds, s_strength, s_random, s_noise,
        };
        s_files.AddTo(command);
        s_pair.AddModelsTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(s_random) is not null && s_pair.NamesModels(result))
                result.AddError("--random-pair is given beside --reference and --aligned; one pair is run.");
            if (result.GetResult(s_noise) is not null && result.GetResult(s_random) is null)
                result.AddError("--noise is given without --random-pair; it makes that pair.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = Read(parsed);
        s_files.Check(parsed);
        var console = parsed.InvocationConfiguration;
        if (parsed.GetValue(s_random) is not { } size)
        {
            var named = await ModelFolders.ResolveAsync(s_pair.ReadModels(parsed, other: null), console.Error, cancellation);
            await MeasureAsync(await LoadAsync(named, options, console.Error, cancellation), options, parsed, cancellation);
            return 0;
        }
        var shape = RandomShape.ByName[size];
        LoadedPair pair;
        using (var random = await Task.Run(
            () => new RandomPair(shape, parsed.GetValue(s_noise) ?? shape.Noise, console.Error, cancellation), cancellation))
            pair = await LoadAsync(s_pair.ReadModels(parsed, random.Folders), options, console.Error, cancellation);
        await MeasureAsync(pair, options, parsed, cancellation);
        return 0;
    }

    private static Task<LoadedPair> LoadAsync(
        PairOptions models, StepsOptions options, TextWriter error, CancellationToken cancellation)
    {
        error.WriteLine("Loading the pair");
        var progress = Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error);
        return Task.Run(() => StepsBenchmark.Load(models, options, progress, cancellation), cancellation);
    }

    private static async Task MeasureAsync(LoadedPair pair, StepsOptions options, ParseResult parsed, CancellationToken cancellation)
    {
        using var executor = pair.Executor;
        var console = parsed.InvocationConfiguration;
        var report = await StepsBenchmark.RunAsync(pair, options, console.Error, cancellation);
        StepsTable.Write(report, console.Output);
        s_files.Write(parsed, JsonSerializer.Serialize(report, Json), () => StepsPlot.Draw(report));
    }

    private static StepsOptions Read(ParseResult parsed)
    {
        var strength = parsed.GetValue(s_strength);
        if (strength is not (>= -100 and <= 100) or 0 or 1)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                $"--strength is {strength}; it must be from -100 to 100 and neither 0 nor 1, at which one model runs alone."));
        return new StepsOptions
        {
            Batches = s_batches.NumbersOf(parsed),
            Contexts = s_contexts.NumbersOf(parsed),
            PromptTokens = parsed.GetValue(s_prompt),
            Tokens = parsed.GetValue(s_tokens),
            Rounds = parsed.GetValue(s_rounds),
            Strength = strength,
        };
    }
}
