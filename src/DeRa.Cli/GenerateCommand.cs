using System.CommandLine;
using DeRa.Engine.Requests;
using DeRa.Engine.Streaming;
using DeRa.Torch;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli;

/// <summary><c>dera generate</c>: loads a pair and writes the continuation of a prompt to the terminal as it grows.</summary>
internal static class GenerateCommand
{
    private static readonly Option<string[]> s_strength = new("--strength", "--alignment-strength")
    {
        Description = "λ: 0 = the reference model, 1 = the aligned model (default), between them or beyond: their mixture. "
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

    private static readonly Argument<string> s_prompt = new("prompt") { Description = "The text to continue" };

    public static Command Create()
    {
        var command = new Command("generate", "Continue a text with a pair of models mixed at a strength. "
            + "Without --reference and --aligned that is the default pair, which writes stories and comes with the program.")
        {
            s_prompt, s_strength, s_maxTokens, s_temperature, s_topK, s_topP, s_minP, s_seed, s_stop, s_ignoreEos,
        };
        var pair = new PairArguments();
        pair.AddTo(command);
        command.SetAction((parsed, cancellation) =>
            RunAsync(pair.Read(parsed), Read(parsed), parsed.InvocationConfiguration.Output, cancellation));
        return command;
    }

    private static GenerationInput Read(ParseResult parsed) => StrengthArgument.AddTo(new()
    {
        Prompts = [new TextPrompt(parsed.GetRequiredValue(s_prompt))],
        MaxTokens = parsed.GetValue(s_maxTokens),
        Temperature = parsed.GetValue(s_temperature),
        TopK = parsed.GetValue(s_topK),
        TopP = parsed.GetValue(s_topP),
        MinP = parsed.GetValue(s_minP),
        Seed = parsed.GetValue(s_seed),
        Stop = parsed.GetValue(s_stop),
        IgnoreEos = parsed.GetValue(s_ignoreEos),
    }, parsed.GetValue(s_strength) ?? []);

    private static async Task<int> RunAsync(
        ServedPairOptions options, GenerationInput input, TextWriter output, CancellationToken cancellation)
    {
        var progress = Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error);
        var pair = await ServedPairLoader.LoadAsync(
            options, progress, NullLoggerFactory.Instance, TimeProvider.System, cancellation);
        using var engine = pair.Engine;
        using var generation = Generation.Start(engine, pair.Validator.Prepare(input), pair.Tokenizer);
        await foreach (var delta in generation.ReadAsync(cancellation))
        {
            await output.WriteAsync(delta.Text);
            await output.FlushAsync(cancellation);
        }
        await output.WriteLineAsync();
        return 0;
    }
}
