using System.CommandLine;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Hub;
using DeRa.Serving.Gguf;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Cli;

/// <summary><c>dera export-gguf</c>: writes a model for llama.cpp.</summary>
internal static class ExportGgufCommand
{
    private static readonly Argument<string> s_model = new("model")
    {
        Description = "A folder in Hugging Face layout or a name on the Hub",
    };

    private static readonly Option<string> s_output = new("--output")
    {
        Description = "The file to write, such as model.gguf",
        Required = true,
    };

    private static readonly Option<string> s_dtype = new("--dtype")
    {
        Description = "Number format of the matrices: auto (the checkpoint's), float32, bfloat16 or float16; norms, biases and learned "
            + "positions are always float32",
        DefaultValueFactory = _ => "auto",
    };

    private static readonly Option<bool> s_force = new("--force") { Description = "Replace a file that is there already" };

    public static Command Create()
    {
        var command = new Command("export-gguf", "Write a model as a GGUF file for llama.cpp, to compare the two on the same weights. What "
            + "llama.cpp would compute differently is refused, or told on the error stream where the difference is small.")
        {
            s_model, s_output, s_dtype, s_force,
        };
        command.SetAction((parsed, cancellation) => RunAsync(parsed, parsed.InvocationConfiguration, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, InvocationConfiguration console, CancellationToken cancellation)
    {
        var (model, output) = (parsed.GetRequiredValue(s_model), parsed.GetRequiredValue(s_output));
        var type = DTypeOption.Parse(parsed.GetRequiredValue(s_dtype));
        HubModels.Check([model]);
        var folder = await ModelFolders.ResolveAsync(model, withWeights: true, console.Error, cancellation);
        var exporter = new GgufExporter(folder, output, type, parsed.GetValue(s_force));
        var isTerminal = ReferenceEquals(console.Error, Console.Error) && !Console.IsErrorRedirected;
        var exported = exporter.Export(NameOf(model), isTerminal ? new WriteProgress(console.Error) : null, cancellation);
        foreach (var note in exported.Notes) await console.Error.WriteLineAsync($"Note: {note}.");
        await console.Output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{output}: {exported.ElementType}, {exported.LengthBytes / (1024.0 * 1024):N1} MiB"));
        return 0;
    }

    private static string NameOf(string model) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Directory.Exists(model) ? Path.GetFullPath(model) : model));

    /// <summary>One line of a terminal.</summary>
    private sealed class WriteProgress(TextWriter terminal) : IProgress<LoadProgress>
    {
        private long _shown = -1;

        public void Report(LoadProgress value)
        {
            var percent = 100 * value.LoadedBytes / Math.Max(1, value.TotalBytes);
            if (percent == _shown) return;
            _shown = percent;
            terminal.Write($"\rWriting: {value.Model} {percent,3} %{(percent == 100 ? "\n" : "")}");
        }
    }
}
