using System.CommandLine;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Cli.Sweep;
using DeRa.Serving.Loading;
using DeRa.Serving.Merging;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli;

/// <summary><c>dera merge</c>: one model instead of a pair at a strength, and how far it is from the mixture.</summary>
internal static class MergeCommand
{
    private const double Lowest = -.4, Highest = 1.4;

    private static readonly RequestLimits s_limits = new() { MinStrength = -9 };
    private static readonly PairArguments s_pair = new();

    private static readonly Option<double> s_strength = new("--strength")
    {
        Description = string.Create(CultureInfo.InvariantCulture,
            $"s of (1 - s) * reference + s * aligned, the weights; {Lowest} to {Highest}, with --force -1 to 10"),
        Required = true,
    };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = "The model folder to write; absent or empty",
        Required = true,
    };

    private static readonly Option<string?> s_prompts = new("--prompts")
    {
        Description = "File of prompts, as of sweep, from whose continuations the distance is measured (default: 16 beginnings)",
    };

    private static readonly Option<int> s_maxTokens = WholeNumberOption.Create(
        "--max-tokens", "Tokens of each of these continuations at most", 32, 1, 4096);

    private static readonly Option<bool> s_force = new("--force") { Description = "Also strengths at which merged weights seldom work" };

    public static Command Create()
    {
        var command = new Command("merge", "Write one model whose weights lie between those of a reference and an aligned model, and say "
            + "how far it is from the pair's mixture at that strength, which it only approximates.")
        {
            s_strength, s_output, s_prompts, s_maxTokens, s_force,
        };
        s_pair.AddModelsTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(s_strength) is not { Tokens.Count: > 0 } given) return;
            var (strength, isForced) = (given.GetValueOrDefault<double>(), result.GetResult(s_force) is not null);
            if (isForced ? strength is >= -1 and <= 10 : strength is >= Lowest and <= Highest) return;
            result.AddError(string.Create(
                CultureInfo.InvariantCulture, $"--strength is {strength}; it must be from {Lowest} to {Highest}: ")
                + "merged weights are far from the mixture beyond. --force allows -1 to 10.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var (folder, strength) = (parsed.GetRequiredValue(s_output), parsed.GetRequiredValue(s_strength));
        var models = s_pair.ReadModels(parsed, other: null);
        if (models.Aligned is not [var aligned])
            throw new FormatException($"--aligned is given {models.Aligned.Count} times; a merge is of one aligned model.");
        IReadOnlyList<PromptInput> prompts = parsed.GetValue(s_prompts) is { } file
            ? [.. new PromptLines(field: null, areChats: false).Read(file).Select(prompt => prompt.Input)]
            : [.. MergeDistance.Prompts.Select(prompt => new TextPrompt(prompt))];
        models = await ModelFolders.ResolveAsync(models, error, cancellation);
        aligned = models.Aligned[0];
        var progress = Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error);
        var bytes = new ModelMerge(models.ReferencePath, aligned.Path, folder, strength).Write(progress, cancellation);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{folder}: {1 - strength:0.####} * reference + {strength:0.####} * aligned, {bytes / (1024.0 * 1024):N1} MiB"));
        var distance = await MeasureAsync(models, folder, prompts, strength, parsed.GetValue(s_maxTokens), progress, cancellation);
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"KL from the pair's mixture at {strength:0.####}, nats a token, along ")
            + $"{distance.Texts} of its texts ({distance.Tokens} tokens):");
        foreach (var (model, nats) in (IEnumerable<(string, double)>)
            [("this model", distance.ToMerged), ("reference", distance.ToReference), ("aligned", distance.ToAligned)])
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"to {model}: {nats:0.####}"));
        return 0;
    }

    private static async Task<MergeDistance> MeasureAsync(PairOptions models, string merged, IReadOnlyList<PromptInput> prompts,
        double strength, int maxTokens, ConsoleLoadProgress? progress, CancellationToken cancellation)
    {
        var pair = await ServedPairLoader.LoadAsync(new ServedPairOptions
        {
            Names = new ServedNames("merged", [MergeDistance.First, MergeDistance.Second]),
            Limits = s_limits,
            Models = models with
            {
                ReferencePath = merged,
                Aligned = [new(MergeDistance.First, models.ReferencePath), new(MergeDistance.Second, models.Aligned[0].Path)],
            },
        }, progress, NullLoggerFactory.Instance, TimeProvider.System, cancellation);
        using (pair.Engine) return await MergeDistance.MeasureAsync(pair, prompts, strength, maxTokens, cancellation);
    }
}
