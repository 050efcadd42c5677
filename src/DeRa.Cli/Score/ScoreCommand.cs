using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using DeRa.Cli.Arguments;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Score;

/// <summary><c>dera score</c>: how likely given texts are at many strengths, and which of two.</summary>
internal static class ScoreCommand
{
    private static readonly Option<string?> s_items = new("--items")
    {
        Description = "JSON lines of texts to score: {\"prompt\", \"continuation\"}, each a text or a list of token ids, or {\"messages\"} "
            + "that end with the assistant's, which is scored; other fields are not read",
    };

    private static readonly Option<string?> s_preferences = new("--preferences")
    {
        Description = "JSON lines of pairs instead: {\"prompt\", \"chosen\", \"rejected\"} as texts, or with messages in 'prompt' or "
            + "'messages', or as whole conversations in 'chosen' and 'rejected'. Written to standard output for each strength: the share "
            + "of pairs in which the chosen text is likelier than the rejected one (logprob), and in which its implicit reward is higher "
            + "(reward: log-probability less the reference model's), of whole texts, ties counting half, with 95 % bootstrap intervals "
            + "over pairs",
    };

    private static readonly RequestLimits s_limits = new();

    private static readonly Option<string[]> s_strengths = new("--strengths")
    {
        Description = "Strengths λ: numbers, and ranges FROM:TO:STEP, with commas between them, such as 0:3:0.1; each from "
            + string.Create(CultureInfo.InvariantCulture, $"{s_limits.MinStrength} to {s_limits.MaxStrength}, at most ")
            + $"{RealignmentFields.MaxScoredStrengths}. Of several aligned models NAME=NUMBER,NAME=NUMBER is one strength. May be given "
            + "several times",
        Required = true,
    };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = "The CSV file to write, a line for each text (or pair) and strength. While it is not whole, a run.json lies beside "
            + "it, and the same command goes on where it was interrupted",
        Required = true,
    };

    private static readonly Option<bool> s_force = new("--force") { Description = "Replace a file that is there already" };

    private static readonly PairArguments s_pair = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        var command = new Command("score", "Score given texts at many strengths; each model runs each of them once. Log-probabilities are "
            + "natural logarithms of all scored tokens together, at temperature 1 without filters. Without --reference and --aligned the "
            + "default pair scores.")
        {
            s_items, s_preferences, s_strengths, s_output, s_force,
        };
        s_pair.AddTo(command, generates: false);
        command.Validators.Add(result =>
        {
            if (result.GetResult(s_items) is null == result.GetResult(s_preferences) is null)
                result.AddError("Either --items or --preferences is needed, and not both.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (options, error) = (s_pair.Read(parsed), parsed.InvocationConfiguration.Error);
        var sweep = StrengthList.Parse(parsed.GetRequiredValue(s_strengths));
        ScoreFile.Check(parsed.GetRequiredValue(s_output), parsed.GetValue(s_force));
        var lines = parsed.GetValue(s_items) is { } items ? ScoreLines.ReadItems(items)
            : ScoreLines.ReadPreferences(parsed.GetRequiredValue(s_preferences)!);
        options = options with { Limits = s_limits, Models = await ModelFolders.ResolveAsync(options.Models, error, cancellation) };
        var pair = await ServedPairLoader.LoadAsync(
            options, Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error), NullLoggerFactory.Instance,
            TimeProvider.System, cancellation);
        using var engine = pair.Engine;
        Check(sweep, pair);
        await ScoreAsync(parsed, pair, options, lines, sweep, cancellation);
        return 0;
    }

    private static async Task ScoreAsync(ParseResult parsed, ServedPair pair, ServedPairOptions options, IReadOnlyList<ScoreLine> lines,
        IReadOnlyList<SweepStrength> sweep, CancellationToken cancellation)
    {
        var (output, isPreferences) = (parsed.GetRequiredValue(s_output), parsed.GetValue(s_preferences) is not null);
        var path = parsed.GetValue(s_items) ?? parsed.GetRequiredValue(s_preferences)!;
        var scoring = new LineScoring(new ScoringService(pair), sweep, path);
        // A line that cannot be scored shows before hours have gone into those above it.
        foreach (var line in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            scoring.Prepare(line);
        }
        string[] labels = [.. sweep.Select(StrengthList.Label)];
        var table = isPreferences ? ScoreTable.OfPreferences(labels) : ScoreTable.OfItems(labels, pair.Names.Aligned);
        using (var file = ScoreFile.Open(output, table.Header, labels.Length, About(path, labels, pair, options), parsed.GetValue(s_force)))
        {
            await WriteAsync(file, table, scoring, lines, parsed.InvocationConfiguration.Error, cancellation);
            file.Complete();
        }
        if (!isPreferences) return;
        await parsed.InvocationConfiguration.Output.WriteLineAsync(PreferenceAccuracy.Header);
        foreach (var accuracy in PreferenceAccuracy.Count(File.ReadLines(output), labels))
            await parsed.InvocationConfiguration.Output.WriteLineAsync(accuracy.Line);
    }

    private static async Task WriteAsync(ScoreFile file, ScoreTable table, LineScoring scoring, IReadOnlyList<ScoreLine> lines,
        TextWriter error, CancellationToken cancellation)
    {
        var (done, progress) = (file.DoneItems, new ScoreProgress(error, lines.Count));
        progress.Report(done);
        try
        {
            await foreach (var scored in scoring.RunAsync(lines.Skip(done), cancellation))
            {
                file.Add(table.Lines(scored));
                progress.Report(++done);
            }
        }
        finally
        {
            progress.End();
        }
    }

    private static void Check(IReadOnlyList<SweepStrength> sweep, ServedPair pair)
    {
        foreach (var strength in sweep)
        {
            try
            {
                pair.Validator.PrepareStrengths(strength.First, strength.Named, strength.Field);
            }
            catch (InvalidRequestException wrong)
            {
                throw new FormatException($"--strengths holds '{StrengthList.Label(strength)}': {wrong.Message}", wrong);
            }
        }
    }

    /// <summary>What the numbers depend on.</summary>
    private static Dictionary<string, string> About(string path, string[] labels, ServedPair pair, ServedPairOptions options)
    {
        using var items = File.OpenRead(path);
        var about = new Dictionary<string, string>
        {
            ["lines"] = Convert.ToHexString(SHA256.HashData(items)),
            ["strengths"] = string.Join(',', labels),
        };
        foreach (var (name, value) in PairAbout.Of(pair, options)) about[name] = value;
        return about;
    }
}
