using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Reports;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Sweep;

/// <summary><c>dera sweep</c>: rewards against the strength, and the strength to take.</summary>
internal static class SweepCommand
{
    private static readonly PairArguments s_pair = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        var command = new Command("sweep", "Generate completions of prompts at many strengths, score them, and say which strength is best. "
            + "Without --reference, --aligned and --url the default pair generates.");
        SweepOptions.AddTo(command);
        s_pair.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(SweepOptions.Url) is not null && s_pair.NamesModels(result))
                result.AddError("--url is given beside --reference or --aligned; completions come from a server or from models here.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (options, settings, error) = (s_pair.Read(parsed), SweepOptions.Read(parsed), parsed.InvocationConfiguration.Error);
        var prompts = new PromptLines(parsed.GetValue(SweepOptions.PromptField), parsed.GetValue(SweepOptions.Chat))
            .Read(parsed.GetRequiredValue(SweepOptions.Prompts));
        using var source = parsed.GetValue(SweepOptions.Url) is { } server
            ? await SweepSource.ConnectAsync(server, ServerArguments.ApiKey, settings, cancellation)
            : await SweepSource.LoadAsync(options, settings, prompts, error, cancellation);
        using var rewards = new SweepRewards(parsed.GetRequiredValue(SweepOptions.Rewards), source.Pair, error);
        var about = SweepAbout.Of(parsed, settings, source.About);
        using var folder = SweepFolder.Open(
            parsed.GetRequiredValue(SweepOptions.Output), about, settings.Choices, parsed.GetValue(SweepOptions.Force));
        var run = new SweepRun(source.Endpoint, rewards.All, settings, rewards.Failed);
        await SweepAsync(run, folder, prompts, rewards.Names, error, cancellation);
        await SummariseAsync(parsed, folder, settings, about, rewards.Names);
        return 0;
    }

    private static async Task SweepAsync(SweepRun run, SweepFolder folder, IReadOnlyList<SweepPrompt> prompts,
        IReadOnlyList<string> rewards, TextWriter error, CancellationToken cancellation)
    {
        var progress = new SweepProgress(error, folder.DonePrompts, prompts.Count, TimeProvider.System);
        progress.Report();
        try
        {
            await foreach (var rows in run.RunAsync(prompts, folder.DonePrompts, cancellation))
            {
                folder.Add(rows.Select(row => row.ToJson(rewards)));
                progress.Next();
            }
        }
        finally
        {
            progress.End();
        }
    }

    private static async Task SummariseAsync(
        ParseResult parsed, SweepFolder folder, SweepSettings settings, IReadOnlyDictionary<string, string> about,
        IReadOnlyList<string> rewards)
    {
        var summary = new SweepSummary(
            new SweepResults(settings.Strengths, settings.Samples, rewards, folder.Read(rewards))
            {
                AreDrawnByMixture = settings is { Temperature: 1, TopP: 1 },
            }, SweepOptions.Beta(parsed));
        folder.Write("strengths.csv", SummaryTable.ToCsv(summary));
        var report = folder.Write("report.html", ReportPage.Html(summary, about));
        var output = parsed.InvocationConfiguration.Output;
        foreach (var line in SummaryText.Lines(summary)) await output.WriteLineAsync(line);
        await output.WriteLineAsync($"Plots and completions: {report}");
    }
}
