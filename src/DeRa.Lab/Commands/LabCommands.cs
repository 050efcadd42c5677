using System.CommandLine;
using DeRa.Engine.Text;
using DeRa.Lab.Rewards;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Lab.Commands;

/// <summary>All commands, and how each ends: bad input in one line on the error stream and exit code 2, a failure in one line and 1.</summary>
internal static class LabCommands
{
    private const int Failed = 1, BadInput = 2;

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand(
            "dera-lab: train a small reference and aligned model, and see what decoding-time realignment does. In order: "
            + "tokenizer, train (pretraining, then SFT with --from), align, evaluate; or reproduce for the paper's experiment.")
        {
            StoriesCommand.Create(),
            TokenizerCommand.Create(),
            TrainCommand.Create(),
            SampleCommand.Create(),
            LossCommand.Create(),
            AlignCommand.Create(),
            EvaluateCommand.Create(),
            ReproduceCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0) return await EndAsync(error, string.Join(' ', parsed.Errors.Select(e => e.Message)), BadInput);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = output,
                Error = error,
            });
        }
        catch (Exception bad) when (bad is LabException or RewardException or ArgumentException or FormatException)
        {
            return await EndAsync(error, bad.Message, BadInput);
        }
        catch (Exception failure) when (failure is CheckpointException or TokenizerException or LibTorchException or IOException
            or UnauthorizedAccessException or OperationCanceledException)
        {
            return await EndAsync(error, failure.Message, Failed);
        }
    }

    private static async Task<int> EndAsync(TextWriter error, string message, int code)
    {
        await error.WriteLineAsync($"dera-lab: {message.ReplaceLineEndings(" ")}");
        return code;
    }
}
