using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using DeRa.Serving.Rewards;
using DeRa.Text;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Lab.Commands;

/// <summary>
/// All commands, and how each ends: bad input with one line on the error stream and exit code 2, a failure with one line and 1, an
/// interruption with none and <see cref="Interruption.ExitCode"/>.
/// </summary>
internal static class LabCommands
{
    private const int Failed = 1, BadInput = 2;

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var parsed = Parse(args);
        if (UnknownOption(parsed) is { } unknown)
            return await EndAsync(error, $"'{unknown}' is not an option of this command", BadInput);
        if (parsed.Errors.Count > 0)
            return await EndAsync(error, TextOptions.Explained(string.Join(' ', parsed.Errors.Select(e => e.Message))), BadInput);
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
        catch (Exception bad) when (bad is LabException or RewardException or ArgumentException or FormatException)
        {
            return await EndAsync(error, bad.Message, BadInput);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Interruption.ExitCode;
        }
        catch (Exception failure) when (failure is CheckpointException or TokenizerException or LibTorchException or IOException
            or UnauthorizedAccessException)
        {
            return await EndAsync(error, failure.Message, Failed);
        }
        catch (ExternalException failure)
        {
            // An error of libtorch; its stack trace follows the first line.
            return await EndAsync(error, failure.Message.Split('\n')[0], Failed);
        }
    }

    /// <summary>A command line, with what is wrong with it.</summary>
    internal static ParseResult Parse(string[] args) => Root().Parse(args);

    private static RootCommand Root() => new(
        "dera-lab: train a small reference and aligned model, and see what decoding-time realignment does. In order: "
        + "tokenizer, train (pretraining, then SFT with --from), align, evaluate; or reproduce "
        + "for the paper's experiment or the default pair.")
    {
        StoriesCommand.Create(),
        TokenizerCommand.Create(),
        TrainCommand.Create(),
        SampleCommand.Create(),
        LossCommand.Create(),
        AlignCommand.Create(),
        EvaluateCommand.Create(),
        CompareCommand.Create(),
        ReproduceCommand.Create(),
    };

    /// <summary>The parser would take an unknown option for another value of the option before it.</summary>
    internal static string? UnknownOption(ParseResult parsed) => parsed.Tokens
        .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;

    private static async Task<int> EndAsync(TextWriter error, string message, int code)
    {
        await error.WriteLineAsync($"dera-lab: {message.ReplaceLineEndings(" ")}");
        return code;
    }
}
