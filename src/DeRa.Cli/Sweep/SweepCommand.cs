using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Sweep;

/// <summary><c>dera sweep</c>: rewards against the strength, and the strength to take.</summary>
internal static class SweepCommand
{
    private static readonly PairArguments s_pair = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        var command = new Command("sweep", "Generate completions of prompts at many strengths, score them, and say which strength is best. "
            + "Without --reference and --aligned the default pair generates.");
        SweepOptions.AddTo(command);
        s_pair.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (options, settings, error) = (s_pair.Read(parsed), SweepOptions.Read(parsed), parsed.InvocationConfiguration.Error);
        var prompts = new PromptLines(parsed.GetValue(SweepOptions.PromptField), parsed.GetValue(SweepOptions.Chat))
            .Read(parsed.GetRequiredValue(SweepOptions.Prompts));
        options = options with
        {
            Limits = SweepOptions.Limits,
            Models = await ModelFolders.ResolveAsync(options.Models, error, cancellation),
        };
        var pair = await ServedPairLoader.LoadAsync(
            options, Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error), NullLoggerFactory.Instance,
            TimeProvider.System, cancellation);
        using var engine = pair.Engine;
        var endpoint = new PairEndpoint(pair, settings);
        Check(endpoint, prompts, settings, cancellation);
        using var rewards = new SweepRewards(parsed.GetRequiredValue(SweepOptions.Rewards), pair, error);
        using var folder = SweepFolder.Open(parsed.GetRequiredValue(SweepOptions.Output),
            SweepAbout.Of(parsed, settings, pair, options), settings.Choices, parsed.GetValue(SweepOptions.Force));
        var run = new SweepRun(endpoint, rewards.All, settings, rewards.Failed);
        await SweepAsync(run, folder, prompts, rewards.Names, error, cancellation);
        await SummariseAsync(parsed, folder, settings, rewards.Names);
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
        ParseResult parsed, SweepFolder folder, SweepSettings settings, IReadOnlyList<string> rewards)
    {
        var summary = new SweepSummary(
            new SweepResults(settings.Strengths, settings.Samples, rewards, folder.Read(rewards)), SweepOptions.Beta(parsed));
        folder.Write("strengths.csv", () => SummaryTable.ToCsv(summary));
        var output = parsed.InvocationConfiguration.Output;
        foreach (var line in SummaryText.Lines(summary)) await output.WriteLineAsync(line);
    }

    /// <summary>What cannot be run shows before hours have gone into the rest.</summary>
    private static void Check(PairEndpoint endpoint, IReadOnlyList<SweepPrompt> prompts, SweepSettings settings,
        CancellationToken cancellation)
    {
        foreach (var prompt in prompts)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                endpoint.Check(prompt, settings.Strengths[0]);
            }
            catch (InvalidRequestException wrong)
            {
                throw new FormatException($"{prompt.Place}: {wrong.Message}", wrong);
            }
        }
    }
}
