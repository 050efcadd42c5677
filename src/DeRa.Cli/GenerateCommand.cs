using System.CommandLine;
using System.Globalization;
using DeRa.Cli.Arguments;
using DeRa.Cli.Columns;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli;

/// <summary>
/// <c>dera generate</c>: loads a pair and writes a prompt and its continuation as it grows, at one strength or at several side by
/// side. The output has the texts alone; what is said about them goes to the error stream.
/// </summary>
internal static class GenerateCommand
{
    private static readonly Option<string[]> s_strength = new("--strength", "--alignment-strength")
    {
        Description = "λ: 0 = the reference model, 1 = the aligned model (default), between them or beyond: their mixture. Given several "
            + "times, a text for each: side by side on a terminal, else one after the other. "
            + "With several aligned models one for each, as in --strength helpful=0.6 --strength concise=0.4",
    };

    private static readonly Option<int?> s_maxTokens = new("--max-tokens")
    {
        Description = "Tokens to write at most (default, and at -1: what the context holds)",
    };

    private static readonly Option<double?> s_temperature = new("--temperature")
    {
        Description = "0 (greedy) or 0.01 to 2",
    };

    private static readonly Option<int?> s_topK = new("--top-k")
    {
        Description = "Keep the k most likely tokens; 0 and -1 = all",
    };

    private static readonly Option<double?> s_topP = new("--top-p")
    {
        Description = "Keep the most likely tokens up to this probability; 0 (the likeliest alone) to 1",
    };

    private static readonly Option<double?> s_minP = new("--min-p")
    {
        Description = "Keep tokens at least this fraction as likely as the best; 0 to 1",
    };

    private static readonly Option<long?> s_seed = new("--seed")
    {
        Description = "The same seed gives the same text (default, and at -1: a random one)",
    };

    private static readonly Option<string[]> s_stop = new("--stop")
    {
        Description = "A text that ends the continuation; may be given several times",
    };

    private static readonly Option<bool> s_ignoreEos = new("--ignore-eos")
    {
        Description = "Write on past the end-of-sequence token",
    };

    private static readonly Argument<string> s_prompt = new("prompt")
    {
        Description = "The text to continue; - reads it from standard input",
    };

    public static Command Create()
    {
        var command = new Command("generate", "Continue a text with a pair of models mixed at a strength. "
            + "Without --reference and --aligned that is the default pair, which writes stories and comes with the program.")
        {
            s_prompt, s_strength, s_maxTokens, s_temperature, s_topK, s_topP, s_minP, s_seed, s_stop, s_ignoreEos,
        };
        var pair = new PairArguments();
        pair.AddTo(command);
        command.SetAction((parsed, cancellation) => RunAsync(pair.Read(parsed), parsed, cancellation));
        return command;
    }

    private static GenerationInput Read(ParseResult parsed, string prompt) => new()
    {
        Prompts = [new TextPrompt(prompt)],
        MaxTokens = parsed.GetValue(s_maxTokens),
        Temperature = parsed.GetValue(s_temperature),
        TopK = parsed.GetValue(s_topK),
        TopP = parsed.GetValue(s_topP),
        MinP = parsed.GetValue(s_minP),
        Seed = parsed.GetValue(s_seed),
        Stop = parsed.GetValue(s_stop),
        IgnoreEos = parsed.GetValue(s_ignoreEos),
    };

    private static async Task<int> RunAsync(ServedPairOptions options, ParseResult parsed, CancellationToken cancellation)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var strengths = parsed.GetValue(s_strength) ?? [];
        // Read before the prompt, which may take its time: a slip is reported at once.
        StrengthArgument.Spread(Read(parsed, ""), strengths);
        var prompt = await PromptArgument.ReadAsync(parsed.GetRequiredValue(s_prompt), cancellation);
        options = options with { Models = await ModelFolders.ResolveAsync(options.Models, error, cancellation) };
        var progress = Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error);
        var pair = await ServedPairLoader.LoadAsync(
            options, progress, NullLoggerFactory.Instance, TimeProvider.System, cancellation);
        using var engine = pair.Engine;
        var generations = new GenerationService(pair);
        var prepared = Prepare(generations, StrengthArgument.Spread(Read(parsed, prompt), strengths));
        var streams = prepared.Select(one => new ContinuationStream(one.Label, generations.Start(one.Generation), cancellation)).ToList();
        try
        {
            await WriteAsync(output, prompt, streams, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The shell's next line begins at its beginning.
            await output.WriteLineAsync();
            throw;
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }
        await error.WriteLineAsync(Summary(streams, prepared[0].Generation.Request.Seed));
        return 0;
    }

    /// <summary>Checks all requests before one begins. They share a seed, so that they differ by their strengths alone.</summary>
    private static List<(string Label, PreparedGeneration Generation)> Prepare(
        GenerationService generations, IReadOnlyList<(string Label, GenerationInput Input)> asked)
    {
        var first = generations.Prepare(asked[0].Input);
        return [(asked[0].Label, first),
            .. asked.Skip(1).Select(other => (other.Label, generations.Prepare(other.Input with { Seed = first.Request.Seed })))];
    }

    private static Task WriteAsync(TextWriter output, string prompt, List<ContinuationStream> streams, CancellationToken cancellation)
    {
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        return streams.Count > 1 && isTerminal && ContinuationColumns.WidthOf(streams.Count, Console.WindowWidth) is { } width
            ? new ContinuationColumns(output, [.. streams.Select(stream => (stream.Label, stream.Pieces))], width)
                .WriteAsync(prompt, cancellation)
            : WriteInTurnAsync(output, prompt, streams, cancellation);
    }

    private static async Task WriteInTurnAsync(
        TextWriter output, string prompt, List<ContinuationStream> streams, CancellationToken cancellation)
    {
        foreach (var (index, stream) in streams.Index())
        {
            if (streams.Count > 1) await output.WriteLineAsync((index > 0 ? Environment.NewLine : "") + stream.Label + ":");
            await output.WriteAsync(prompt);
            await output.FlushAsync(cancellation);
            await foreach (var piece in stream.Pieces.ReadAllAsync(cancellation))
            {
                await output.WriteAsync(piece);
                await output.FlushAsync(cancellation);
            }
            await output.WriteLineAsync();
        }
    }

    private static string Summary(List<ContinuationStream> streams, long seed)
    {
        var (tokens, seconds) = (streams.Sum(stream => stream.Tokens), streams.Max(stream => stream.Elapsed).TotalSeconds);
        return string.Create(
            CultureInfo.InvariantCulture, $"{tokens} tokens in {seconds:0.0} s, {tokens / seconds:0.0} tokens/s, seed {seed}");
    }
}
