using System.CommandLine;
using System.Globalization;
using DeRa.Lab.Alignment;
using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Lab.Reports;
using DeRa.Lab.Rewards;
using DeRa.Lab.Sampling;
using DeRa.Lab.Training;
using DeRa.Text.Loading;

namespace DeRa.Lab.Commands;

/// <summary><c>dera-lab evaluate</c>: reward and length of a pair against the strength.</summary>
internal sealed class EvaluateCommand
{
    private readonly Option<string> _reference = new("--reference") { Description = "Reference model folder", Required = true };
    private readonly Option<string> _aligned = new("--aligned") { Description = "Aligned model folder", Required = true };

    private readonly Option<double[]> _strengths = new("--strengths")
    {
        Description = "Strengths λ",
        DefaultValueFactory = _ => [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2],
        AllowMultipleArgumentsPerToken = true,
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

    private readonly TaskArguments _task = new();
    private readonly ComputeArguments _compute = new();

    public static Command Create()
    {
        var arguments = new EvaluateCommand();
        var command = new Command("evaluate",
            "Sweep the strength of a pair: mean reward and length with 95 % intervals. Interrupted, the same command goes on.")
        {
            arguments._reference, arguments._aligned, arguments._strengths, arguments._promptCount, arguments._completions,
            arguments._seed, arguments._output,
        };
        arguments._task.AddTo(command);
        arguments._compute.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.FromResult(arguments.Run(parsed, cancellation)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        using var reward = _task.Reward(parsed);
        var (folder, alignedFolder) = (parsed.RequiredFolder(_reference), parsed.RequiredFolder(_aligned));
        var device = _compute.Load(parsed);
        var tokenizer = TokenizerLoader.Load(folder);
        using var reference = TrainableDecoder.Load(folder, device);
        SameVocabulary.Require(tokenizer, alignedFolder);
        using var aligned = TrainableDecoder.Load(alignedFolder, device);
        var mixtures = parsed.GetRequiredValue(_strengths).Select(strength => new Mixture(reference, aligned, strength)).ToArray();
        var context = Math.Min(reference.Config.ContextTokens, aligned.Config.ContextTokens);
        var prompts = _task.Prompts(parsed, tokenizer, context).Take(parsed.GetValue(_promptCount)).ToArray();
        var scorer = new CompletionScorer(tokenizer, reward);
        var (completions, end) = (parsed.GetValue(_completions), ModelFolder.EndToken(folder));
        var error = parsed.InvocationConfiguration.Error;
        error.WriteLine(
            $"{prompts.Length} prompts of {_task.Source(parsed)}, {completions} completions each at {mixtures.Length} strengths");
        var kept = Keep(parsed, Description(parsed, reward, prompts, completions, end));
        var progress = new EvaluationProgress(error, mixtures.Length * StrengthEvaluation.Parts(prompts.Length, completions),
            ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected);
        var table = new ResultTable("strength", "reward", "tokens");
        var points = new List<PlotPoint>();
        try
        {
            foreach (var mixture in mixtures)
            {
                var result = StrengthEvaluation.Run(mixture, prompts, completions, scorer, end, _task.MaxTokens(parsed),
                    parsed.GetValue(_seed), kept, progress, cancellation);
                table.Add(mixture.Strength, result.Reward, result.Tokens);
                points.Add(new PlotPoint(mixture.Strength, result.Reward));
            }
        }
        finally
        {
            progress.End();
        }
        parsed.InvocationConfiguration.Output.Write(table.ToText());
        if (parsed.GetValue(_output) is { } output) Save(output, table, Plot(reward, prompts.Length, points));
        return 0;
    }

    /// <summary>Everything that determines the samples except the strength.</summary>
    private string Description(ParseResult parsed, IReward reward, EncodedPrompt[] prompts, int completions, int endToken)
    {
        var (folder, alignedFolder) = (parsed.GetRequiredValue(_reference), parsed.GetRequiredValue(_aligned));
        var texts = Fingerprint.Of(prompts.Select(prompt => prompt.Text));
        return string.Create(CultureInfo.InvariantCulture,
            $"reference {Fingerprint.OfWeights(folder)}, aligned {Fingerprint.OfWeights(alignedFolder)}, reward {reward.Name}, ")
            + string.Create(CultureInfo.InvariantCulture,
                $"prompts {prompts.Length} {texts}, {completions} completions of at most {_task.MaxTokens(parsed)} tokens ended by ")
            + string.Create(CultureInfo.InvariantCulture, $"{endToken}, seed {parsed.GetValue(_seed)}");
    }

    private static StrengthPlot Plot(IReward reward, int prompts, IReadOnlyList<PlotPoint> points)
    {
        var label = string.Create(CultureInfo.InvariantCulture, $"mean reward, {prompts} prompts");
        return new StrengthPlot($"Reward of {reward.Name} against strength", label, [new PlotSeries("DeRa", points)]);
    }

    /// <summary>The file of the samples; null where no output is named.</summary>
    private EvaluationFile? Keep(ParseResult parsed, string description)
    {
        if (parsed.GetValue(_output) is not { } output) return null;
        if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } folder) Directory.CreateDirectory(folder);
        return EvaluationFile.Open(output + ".jsonl", description);
    }

    private static void Save(string output, ResultTable table, StrengthPlot plot)
    {
        File.WriteAllText(output + ".csv", table.ToCsv());
        plot.Save(output);
    }
}
