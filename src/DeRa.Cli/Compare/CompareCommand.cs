using System.CommandLine;
using DeRa.Cli.Arguments;
using DeRa.Cli.Sweep;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Compare;

/// <summary><c>dera compare</c>: whether a reward is higher of one strength or pair than of another.</summary>
internal static class CompareCommand
{
    private static readonly PairArguments s_pair = new();
    private static readonly ReportFiles s_files = new(hasPlot: false);

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        var command = new Command("compare", "Generate completions of the same prompts with the same draws at two strengths, or of two "
            + "pairs, score them, and test whether the difference may be chance. Without --reference, --aligned and --url the first is "
            + "the default pair.");
        CompareOptions.AddTo(command);
        s_files.AddTo(command);
        s_pair.AddTo(command);
        command.Validators.Add(result => SweepOptions.CheckSource(result, s_pair));
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (options, error, output) = (s_pair.Read(parsed), parsed.InvocationConfiguration.Error, parsed.InvocationConfiguration.Output);
        var (first, second) = CompareOptions.Strengths(parsed);
        var (settings, otherSettings) = (SweepOptions.Read(parsed, [first]), SweepOptions.Read(parsed, [second]));
        s_files.Check(parsed);
        var prompts = new PromptLines(parsed.GetValue(SweepOptions.PromptField), parsed.GetValue(SweepOptions.Chat))
            .Read(parsed.GetRequiredValue(SweepOptions.Prompts));
        using var source = await SourceAsync(parsed.GetValue(SweepOptions.Url), options, settings, prompts, error, cancellation);
        using var other = await OtherAsync(parsed, options, otherSettings, prompts, error, cancellation);
        using var rewards = new SweepRewards(SweepOptions.ReadRewards(parsed), source.Pair, error);
        var rows = await RunAsync(
            new SweepRun(source.Endpoint, rewards.All, settings, rewards.Failed),
            new SweepRun((other ?? source).Endpoint, rewards.All, otherSettings, rewards.Failed), (first, second), prompts, error,
            cancellation);
        var comparison = new Comparison(new SweepResults([first, second], settings.Samples, rewards.Names, rows)
        {
            AreDrawnByMixture = settings.AreDrawnByMixture,
        }, settings, source.About, (other ?? source).About);
        foreach (var line in ComparisonText.Lines(comparison, CompareOptions.Shown(parsed))) await output.WriteLineAsync(line);
        s_files.Write(parsed, ComparisonJson.Of(comparison));
        return 0;
    }

    private static Task<SweepSource> SourceAsync(Uri[]? servers, ServedPairOptions options, SweepSettings settings,
        IReadOnlyList<SweepPrompt> prompts, TextWriter error, CancellationToken cancellation) => servers is { Length: > 0 }
        ? SweepSource.ConnectAsync(servers, ServerArguments.ApiKey, settings, cancellation)
        : SweepSource.LoadAsync(options, settings, prompts, error, cancellation);

    /// <returns>What generates the second's completions; null = what generates the first's.</returns>
    private static async Task<SweepSource?> OtherAsync(ParseResult parsed, ServedPairOptions options, SweepSettings settings,
        IReadOnlyList<SweepPrompt> prompts, TextWriter error, CancellationToken cancellation)
    {
        if (CompareOptions.OtherUrl(parsed) is { } server)
            return await SourceAsync([server], options, settings, prompts, error, cancellation);
        if (CompareOptions.OtherPair(parsed) is not { } folders) return null;
        options = options with
        {
            Names = new ServedNames("pair", [.. folders.Aligned.Select(model => model.Name)]),
            Models = options.Models with { ReferencePath = folders.Reference, Aligned = folders.Aligned },
        };
        return await SourceAsync(null, options, settings, prompts, error, cancellation);
    }

    /// <returns>Prompt by prompt, of each the first's completions and then the second's.</returns>
    private static async Task<IReadOnlyList<SweepRow>> RunAsync(
        SweepRun first, SweepRun second, (double First, double Second) strengths, IReadOnlyList<SweepPrompt> prompts, TextWriter error,
        CancellationToken cancellation)
    {
        var (rows, progress) = (new List<SweepRow>(), new SweepProgress(error, 0, prompts.Count, TimeProvider.System));
        progress.Report();
        try
        {
            await using var others = second.RunAsync(prompts, Units(strengths.Second), cancellation).GetAsyncEnumerator(cancellation);
            await foreach (var own in first.RunAsync(prompts, Units(strengths.First), cancellation))
            {
                await others.MoveNextAsync();
                rows.AddRange([.. own, .. others.Current]);
                progress.Next();
            }
        }
        finally
        {
            progress.End();
        }
        return rows;

        IEnumerable<SweepUnit> Units(double strength) => prompts.Select((_, index) => new SweepUnit(index, [strength]));
    }
}
