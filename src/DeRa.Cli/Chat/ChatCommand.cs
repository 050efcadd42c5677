using System.CommandLine;
using System.CommandLine.Parsing;
using DeRa.Cli.Arguments;
using DeRa.Serving.Loading;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;

namespace DeRa.Cli.Chat;

/// <summary>
/// <c>dera chat</c>: a conversation with a pair that it loads, or with a server. On a terminal tokens are coloured by their implicit
/// reward; elsewhere the answers are plain text, a line of input each.
/// </summary>
internal static class ChatCommand
{
    private static readonly Option<Uri?> s_url = new("--url", "--base-url")
    {
        Description = "Address of a server that answers, such as http://localhost:8080, in place of a pair that is loaded here; "
            + ServerArguments.KeyDescription,
        CustomParser = ServerArguments.ReadAddress,
    };

    private static readonly Option<string?> s_model = new("--model") { Description = "One of the server's models (default: its pair)" };

    private static readonly Option<double?> s_strength = new("--strength", "--alignment-strength")
    {
        Description = "λ: 0 = the reference model, 1 = the aligned model (default), between them or beyond: their mixture; "
            + "/strength changes it",
    };

    private static readonly Option<long?> s_seed = new("--seed")
    {
        Description = "The same seed gives the same answers (default: a random one for each); /seed changes it",
    };

    private static readonly Option<string?> s_system = new("--system")
    {
        Description = "What the conversation begins with; /system changes it",
    };

    private static readonly Option<int?> s_maxTokens = new("--max-tokens")
    {
        Description = "Tokens of an answer at most (default: what the context holds)",
    };

    private static readonly Option<double?> s_temperature = new("--temperature") { Description = "0 (greedy) or 0.01 to 2" };

    /// <param name="interruption">What Ctrl+C ends; null = nothing that is known here.</param>
    public static Command Create(Interruption? interruption)
    {
        var command = new Command("chat", "Talk with a pair of models mixed at a strength, or with a server. Lines that begin with a slash "
            + "set things: /strength 1.5, /seed 7, /system TEXT, /clear, /help, /quit. Ctrl+C stops the answer, Ctrl+D ends. Without "
            + "--url, --reference and --aligned it is the default pair, which writes stories and comes with the program.")
        {
            s_url, s_model, s_strength, s_seed, s_system, s_maxTokens, s_temperature,
        };
        var pair = new PairArguments();
        pair.AddTo(command);
        command.Validators.Add(chosen => Check(pair, chosen));
        command.SetAction((parsed, cancellation) => RunAsync(pair, parsed, interruption, cancellation));
        return command;
    }

    private static void Check(PairArguments pair, CommandResult command)
    {
        var hasUrl = command.GetResult(s_url) is not null;
        if (hasUrl && pair.NamesModels(command)) command.AddError("--url is given beside --reference or --aligned; give one of them.");
        if (!hasUrl && command.GetResult(s_model) is not null) command.AddError("--model names one of a server's models; it needs --url.");
    }

    private static async Task<int> RunAsync(
        PairArguments pair, ParseResult parsed, Interruption? interruption, CancellationToken cancellation)
    {
        var output = parsed.InvocationConfiguration.Output;
        using var responses = parsed.GetValue(s_url) is { } url
            ? new ServerResponses(url, ServerArguments.ApiKey, parsed.GetValue(s_model)) : await LoadAsync(pair, parsed, cancellation);
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        var typed = isTerminal && !Console.IsInputRedirected && console.Profile.Capabilities.Ansi ? new TerminalLines(output) : null;
        var settings = new ChatSettings
        {
            Strength = parsed.GetValue(s_strength),
            Seed = parsed.GetValue(s_seed),
            System = parsed.GetValue(s_system),
            MaxTokens = parsed.GetValue(s_maxTokens),
            Temperature = parsed.GetValue(s_temperature),
        };
        var session = new ChatSession(
            responses, console, prompt => typed is null ? Console.In.ReadLine() : typed.Read(prompt), settings);
        using var diverted = interruption?.Divert(session.StopResponse);
        return await session.RunAsync(cancellation) ? 0 : 1;
    }

    private static async Task<IResponseSource> LoadAsync(PairArguments pair, ParseResult parsed, CancellationToken cancellation)
    {
        var options = pair.Read(parsed);
        options = options with
        {
            Models = await ModelFolders.ResolveAsync(options.Models, parsed.InvocationConfiguration.Error, cancellation),
        };
        var progress = Console.IsErrorRedirected ? null : new ConsoleLoadProgress(Console.Error);
        return new PairResponses(await ServedPairLoader.LoadAsync(
            options, progress, NullLoggerFactory.Instance, TimeProvider.System, cancellation));
    }
}
