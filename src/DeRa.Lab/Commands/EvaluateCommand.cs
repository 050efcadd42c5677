using System.CommandLine;
using System.Globalization;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Training;
using DeRa.Serving.Rewards;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab evaluate</c>: reward and length of a pair against the strength.</summary>
internal sealed class EvaluateCommand
{
    private readonly Option<string> _reference = new("--reference") { Description = "Reference model folder", Required = true };

    private readonly Option<string?> _aligned = new("--aligned")
    {
        Description = "Aligned model folder; default: the reference alone, at strength 0",
    };

    private readonly Option<double[]> _strengths = new("--strengths")
    {
        Description = "Strengths λ; default: 0 0.25 0.5 0.75 1 1.25 1.5 2, without --aligned 0",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<double> _temperature = TemperatureOption.Create();

    private readonly Option<double> _minP = new("--min-p")
    {
        Description = "Tokens below this share of the likeliest one's probability are not drawn, 0 to 1; 0 is all",
    };

    private readonly Option<int> _promptCount = WholeNumberOption.Create(
        "--prompt-count", "Prompts taken, the first of the files", 64, minimum: 2);

    private readonly Option<int> _completions = WholeNumberOption.Create(
        "--completions", "Completions of each prompt at each strength", 8);

    private readonly Option<long> _seed = new("--seed")
    {
        Description = "The same seed gives the same texts",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "Writes OUTPUT.csv, OUTPUT.svg and OUTPUT.png; OUTPUT.jsonl keeps what is drawn, with which the same command goes on",
    };

    private readonly Option<int?> _endToken = EndToken.CreateOption();

    private readonly TaskArguments _task = new();
    private readonly GoldArguments _gold = new();
    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new EvaluateCommand();
        var command = new Command("evaluate",
            "Sweep the strength of a pair: mean reward and length, and gold where asked for, with 95 % intervals. Interrupted, the same "
            + "command goes on.")
        {
            arguments._reference, arguments._aligned, arguments._strengths, arguments._temperature, arguments._minP,
            arguments._promptCount, arguments._completions, arguments._seed, arguments._output, arguments._endToken,
        };
        arguments._task.AddTo(command);
        arguments._gold.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        using var reward = _task.Reward(parsed);
        var (folder, alignedFolder) = (parsed.RequiredFolder(_reference), parsed.Folder(_aligned));
        var strengths = Strengths(parsed, isPair: alignedFolder is not null);
        var gold = _gold.Measure(parsed);
        var device = _compute.Load(parsed);
        using var pair = new LoadedPair(folder, alignedFolder, device);
        var mixtures = strengths.Select(strength => pair.At(
            strength, parsed.GetValue(_temperature), parsed.GetValue(_minP))).ToArray();
        var context = mixtures.Min(mixture => mixture.ContextTokens);
        var prompts = _task.Prompts(parsed, pair.Tokenizer, context).Take(parsed.GetValue(_promptCount)).ToArray();
        var scorer = new CompletionScorer(pair.Tokenizer, reward);
        var (completions, end) = (parsed.GetValue(_completions), EndToken.Of(parsed, _endToken, folder, pair.Reference));
        var error = parsed.InvocationConfiguration.Error;
        error.WriteLine(
            $"{prompts.Length} prompts of {_task.Source(parsed)}, {completions} completions each at {mixtures.Length} strengths");
        var kept = Keep(parsed, Description(parsed, reward, prompts, completions, end));
        var progress = new EvaluationProgress(error, mixtures.Length * StrengthEvaluation.Parts(prompts.Length, completions),
            ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected);
        var report = new EvaluationReport(reward.Name, gold);
        try
        {
            foreach (var mixture in mixtures)
                report.Add(mixture.Strength, StrengthEvaluation.Run(mixture, prompts, completions, scorer, end, _task.MaxTokens(parsed),
                    parsed.GetValue(_seed), kept, progress, cancellation));
        }
        finally
        {
            progress.End();
        }
        Write(parsed, report);
        return 0;
    }

    private double[] Strengths(ParseResult parsed, bool isPair)
    {
        var given = parsed.GetValue(_strengths) is { Length: > 0 } strengths ? strengths : null;
        if (!isPair && given?.Any(strength => strength != 0) == true)
            throw new LabException($"{_strengths.Name}: without {_aligned.Name} there is only strength 0.");
        return given ?? (isPair ? [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2] : [0]);
    }

    /// <summary>Everything that determines the samples except the strength.</summary>
    private string Description(ParseResult parsed, IReward reward, EncodedPrompt[] prompts, int completions, int endToken)
    {
        var aligned = parsed.GetValue(_aligned) is { } folder ? Fingerprint.OfWeights(folder) : "none";
        var texts = Fingerprint.Of(prompts.Select(prompt => prompt.Text));
        return string.Create(CultureInfo.InvariantCulture,
            $"reference {Fingerprint.OfWeights(parsed.GetRequiredValue(_reference))}, aligned {aligned}, reward {reward.Name}, ")
            + string.Create(CultureInfo.InvariantCulture,
                $"prompts {prompts.Length} {texts}, {completions} completions of at most {_task.MaxTokens(parsed)} tokens ended by ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{endToken}, temperature {parsed.GetValue(_temperature)}, min-p {parsed.GetValue(_minP)}, seed {parsed.GetValue(_seed)}");
    }

    /// <summary>The file of the samples; null where no output is named.</summary>
    private EvaluationFile? Keep(ParseResult parsed, string description)
    {
        if (parsed.GetValue(_output) is not { } output) return null;
        if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } folder) Directory.CreateDirectory(folder);
        return EvaluationFile.Open(output + ".jsonl", description);
    }

    private void Write(ParseResult parsed, EvaluationReport report)
    {
        var table = report.Table();
        parsed.InvocationConfiguration.Output.Write(table.ToText());
        if (report.GoldPeak() is { } peak)
            parsed.InvocationConfiguration.Output.WriteLine(FormattableString.Invariant(
                $"gold is highest at strength {peak.Estimate} [{peak.Low}, {peak.High}]"));
        if (parsed.GetValue(_output) is not { } output) return;
        File.WriteAllText(output + ".csv", table.ToCsv());
        report.Plot().Save(output);
    }
}
