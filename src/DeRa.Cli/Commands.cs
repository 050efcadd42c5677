using System.CommandLine;
using System.CommandLine.Parsing;
using DeRa.Cli.Bench;
using DeRa.Cli.Chat;
using DeRa.Cli.Compare;
using DeRa.Cli.Score;
using DeRa.Cli.Simulate;
using DeRa.Cli.Sweep;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Hub;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Text;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Cli;

/// <summary>
/// All commands, and how each ends: bad input in one line on the error stream and exit code 2, a failure in one line and 1, an
/// interruption in none and <see cref="Interruption.ExitCode"/>.
/// </summary>
internal static class Commands
{
    private const int Failed = 1, BadInput = 2;

    public static Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, CancellationToken cancellation = default) =>
        RunAsync(args, output, error, interruption: null, cancellation);

    /// <param name="args">The command line.</param>
    /// <param name="output">For results.</param>
    /// <param name="error">For everything else.</param>
    /// <param name="interruption">What Ctrl+C ends, where a command may keep it for itself; null = nothing that is known here.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, Interruption? interruption, CancellationToken cancellation)
    {
        if (ServerCommand.IsMeant(args)) return await ServerCommand.RunAsync(args, output, error);
        if (GatewayCommand.IsMeant(args)) return await GatewayCommand.RunAsync(args, output, error, cancellation);
        var root = new RootCommand("dera: decode between a reference and an aligned model, at any strength.")
        {
            ServerCommand.Create(),
            GenerateCommand.Create(),
            ChatCommand.Create(interruption),
            ScoreCommand.Create(),
            SweepCommand.Create(),
            CompareCommand.Create(),
            VerifyCommand.Create(),
            PullCommand.Create(),
            InspectCommand.Create(),
            MergeCommand.Create(),
            ExportGgufCommand.Create(),
            KeyCommand.Create(),
            GatewayCommand.Create(),
            SimulateCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create(),
        };
        var parsed = root.Parse(args);
        // A line that is being typed may have any fault.
        if (args is [var first, ..] && first.StartsWith("[suggest", StringComparison.Ordinal))
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, cancellation);
        if (MisspeltOption(parsed) is { } misspelt)
            return await EndAsync(
                error, $"'{misspelt}' is not an option of this command; text that begins with -- goes after a lone --", BadInput);
        if (parsed.Errors.Count > 0) return await EndAsync(error, string.Join(' ', parsed.Errors.Select(e => e.Message)), BadInput);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
                Error = error,
            }, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
        catch (Exception bad) when (bad is InvalidRequestException or FormatException or RewardException)
        {
            return await EndAsync(error, bad.Message, BadInput);
        }
        catch (Exception failure) when (failure is CheckpointException or TokenizerException or PairLoadException
            or HubException or LibTorchException or AdmissionException or GenerationFailedException or IOException
            or UnauthorizedAccessException or HttpRequestException)
        {
            return await EndAsync(error, failure.Message, Failed);
        }
    }

    /// <summary>The parser would take an unknown option for the prompt: a misspelt strength must not silently give another text.</summary>
    private static string? MisspeltOption(ParseResult parsed) => parsed.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;

    private static async Task<int> EndAsync(TextWriter error, string message, int code)
    {
        await error.WriteLineAsync($"dera: {message.ReplaceLineEndings(" ")}");
        return code;
    }
}
