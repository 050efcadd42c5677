using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Files;
using DeRa.Serving.Sweeps.Plans;
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
        command.Validators.Add(result => SweepOptions.CheckSource(result, s_pair));
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (options, settings, error) = (s_pair.Read(parsed), SweepOptions.Read(parsed), parsed.InvocationConfiguration.Error);
        var entries = SweepOptions.ReadRewards(parsed);
        var prompts = new PromptLines(parsed.GetValue(SweepOptions.PromptField), parsed.GetValue(SweepOptions.Chat))
            .Read(parsed.GetRequiredValue(SweepOptions.Prompts));
        using var source = parsed.GetValue(SweepOptions.Url) is { Length: > 0 } servers
            ? await SweepSource.ConnectAsync(servers, ServerArguments.ApiKey, settings, cancellation)
            : await SweepSource.LoadAsync(options, settings, prompts, error, cancellation);
        using var rewards = new SweepRewards(entries, source.Pair, error);
        var about = SweepAbout.Of(parsed, settings, entries, source.About);
        using var folder = SweepFolder.Open(parsed.GetRequiredValue(SweepOptions.Output), about, parsed.GetValue(SweepOptions.Force));
        ISweepPlan plan = SweepOptions.IsAuto(parsed) ? new AutoPlan(settings, prompts.Count) : new GridPlan(settings, prompts.Count);
        var sweep = new PlannedSweep(
            new SweepRun(source.Endpoint, rewards.All, settings, rewards.Failed), plan, folder, settings.Samples, rewards.Names);
        var rows = await SweepAsync(sweep, prompts, error, cancellation);
        await folder.WriteAsync("results.parquet", target => ParquetTable.WriteAsync(rows, rewards.Names, target));
        var results = plan.Results(rows, rewards.Names);
        foreach (var (name, text) in ResponseFiles.Of(results.Rows, prompts, source.Name)) folder.Write(name, text);
        await SummariseAsync(parsed, folder, results, about);
        if (plan is AutoPlan search) await TellAsync(search, rows.Count, prompts.Count, settings, folder, parsed);
        return 0;
    }

    private static async Task<IReadOnlyList<SweepRow>> SweepAsync(
        PlannedSweep sweep, IReadOnlyList<SweepPrompt> prompts, TextWriter error, CancellationToken cancellation)
    {
        SweepProgress? progress = null;
        try
        {
            return await sweep.RunAsync(prompts, Begin, () => progress!.Next(), cancellation);
        }
        finally
        {
            progress?.End();
        }

        void Begin(SweepRound round, int done)
        {
            progress?.End();
            if (round.Title.Length > 0) error.WriteLine(round.Title);
            progress = new SweepProgress(error, done, round.Units.Count, TimeProvider.System);
            progress.Report();
        }
    }

    private static async Task SummariseAsync(
        ParseResult parsed, SweepFolder folder, SweepResults results, IReadOnlyDictionary<string, string> about)
    {
        var summary = new SweepSummary(results, SweepOptions.Beta(parsed));
        folder.Write("strengths.csv", SummaryTable.ToCsv(summary));
        var report = folder.Write("report.html", ReportPage.Html(summary, about));
        var output = parsed.InvocationConfiguration.Output;
        foreach (var line in SummaryText.Lines(summary)) await output.WriteLineAsync(line);
        await output.WriteLineAsync($"Plots and completions: {report}");
    }

    private static async Task TellAsync(
        AutoPlan search, int rows, int prompts, SweepSettings settings, SweepFolder folder, ParseResult parsed)
    {
        var output = parsed.InvocationConfiguration.Output;
        await output.WriteLineAsync(search.IsSure
            ? $"That is sure enough after {search.PromptsUsed} of {prompts} prompts: strengths further than a step from it are worse."
            : $"That is not sure to a step after all {prompts} prompts: more would narrow it.");
        await output.WriteLineAsync($"{rows} completions, where all strengths would have taken {prompts * settings.Choices}. "
            + $"The rounds of the search: {folder.Write("search.csv", StandingTable.ToCsv(search.Standings))}");
    }
}
