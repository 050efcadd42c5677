using System.CommandLine;
using System.CommandLine.Parsing;
using DeRa.Cli.Arguments;

namespace DeRa.Cli.Bench.Serve;

/// <summary><c>dera bench serve</c>: how much a server does for clients, and how long each waits.</summary>
internal static class ServeCommand
{
    private const int DefaultSeconds = 60, DefaultInputTokens = 128, DefaultTurnTokens = 16;

    private static readonly Option<Uri> s_url = new("--url", "--base-url")
    {
        Description = "Address of a server that runs, such as http://localhost:8080",
        Required = true,
        CustomParser = ServerArguments.ReadAddress,
    };

    private static readonly Option<string> s_endpoint = new("--endpoint")
    {
        Description = "What is asked for, streamed",
        DefaultValueFactory = _ => "chat",
    };

    private static readonly Option<string?> s_model = new("--model") { Description = "The model's name (default: model is not sent)" };

    private static readonly NumberListOption<int> s_concurrency = new(
        "--concurrency", "Closed loop: clients that each have a connection and one request at a time; of several numbers each is a "
        + "measurement of its own", [64], 1, 4096, "--max-concurrency");

    private static readonly Option<double?> s_rate = new("--rate", "--request-rate")
    {
        Description = "Open loop instead: requests that arrive a second, at the times of a Poisson process; above 0, to 10000",
    };

    private static readonly Option<int> s_seed = WholeNumberOption.Create("--seed", "Seeds those times", 0, 0, int.MaxValue);

    private static readonly Option<int?> s_inputTokens = WholeNumberOption.CreateOptional(
        "--input-tokens", "About how many tokens a request has, or in conversations what the user writes in each turn "
        + $"(default: {DefaultInputTokens}, in conversations {DefaultTurnTokens}). The words are other ones in every run", 1, 1 << 20,
        "--random-input-len");

    private static readonly Option<double> s_sharedPrefix = new("--shared-prefix")
    {
        Description = "Share of that with which all requests of a run begin alike; 0 to 1",
    };

    private static readonly Option<int> s_maxTokens = WholeNumberOption.Create(
        "--max-tokens", "Most tokens of a reply; 0 leaves max_tokens out", 64, 0, 1 << 20, "--random-output-len");

    private static readonly Option<bool> s_ignoreEos = new("--ignore-eos")
    {
        Description = "Send ignore_eos, so that replies are as long as --max-tokens says",
    };

    private static readonly NumberListOption<double> s_strengths = new(
        "--strengths", "Alignment strengths, which requests, or conversations, have in turn; without it none is sent", [], -100, 100);

    private static readonly Option<int> s_turns = WholeNumberOption.Create(
        "--turns", "User turns of a conversation: each sends all turns and replies before it", 1, 1, 1000);

    private static readonly Option<int> s_systemWords = WholeNumberOption.Create(
        "--system-words", "Words of a system prompt that all conversations share", 0, 0, 1 << 20);

    private static readonly Option<int?> s_requests = WholeNumberOption.CreateOptional(
        "--requests", "Make so many requests, rounded up to whole conversations", 1, 1 << 24, "--num-prompts");

    private static readonly Option<int?> s_seconds = WholeNumberOption.CreateOptional(
        "--seconds", $"Make requests for so long instead ({DefaultSeconds} where --requests is not given either)", 1, 86_400);

    private static readonly Option<string?> s_goodput = new("--goodput")
    {
        Description = "Count the requests that meet all of these, in milliseconds: ttft:500,tpot:50,e2el:5000",
    };

    private static readonly ReportFiles s_files = new();

    /// <summary>Declares it.</summary>
    public static Command Create()
    {
        s_endpoint.AcceptOnlyFromAmong("chat", "completions");
        var command = new Command("serve",
            "Measure any server that speaks OpenAI's API: requests and tokens a second, and how long clients wait (TTFT, TPOT, ITL, end to "
            + $"end). {ServerArguments.KeyDescription}. Ctrl+C ends it and prints what there is. The exit "
            + "code is 1 where no request succeeded.")
        {
            s_url, s_endpoint, s_model, s_concurrency, s_rate, s_seed, s_inputTokens, s_sharedPrefix, s_maxTokens, s_ignoreEos, s_strengths,
            s_turns, s_systemWords, s_requests, s_seconds, s_goodput,
        };
        s_files.AddTo(command);
        command.Validators.Add(Check);
        command.SetAction(RunAsync);
        return command;
    }

    private static void Check(CommandResult result)
    {
        if (result.GetResult(s_requests) is not null && result.GetResult(s_seconds) is not null)
            result.AddError("--seconds and --requests are given; a measurement ends by one of them.");
        if (result.GetResult(s_rate) is not null && result.GetResult(s_concurrency) is not null)
            result.AddError("--rate and --concurrency are given; the loop is open or closed.");
        if (result.GetResult(s_endpoint) is { Tokens: [{ Value: "completions" }] }
            && (result.GetResult(s_turns) is { Implicit: false } || result.GetResult(s_systemWords) is { Implicit: false }))
            result.AddError("--turns and --system-words need --endpoint chat; completions have no conversations.");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        s_files.Check(parsed);
        var options = Read(parsed);
        var target = new ServeTarget(parsed.GetRequiredValue(s_url), parsed.GetValue(s_endpoint) == "chat", parsed.GetValue(s_model),
            ServerArguments.ApiKey);
        var console = parsed.InvocationConfiguration;
        var probe = await ServeProbe.RunAsync(target, cancellation);
        options = WithWords(options, probe, parsed);
        IReadOnlyList<ServeOptions> loads = options.Rate is null
            ? [.. s_concurrency.NumbersOf(parsed).Select(clients => options with { Concurrency = clients })] : [options];
        var reports = new List<ServeReport>();
        foreach (var (index, load) in loads.Index())
        {
            if (cancellation.IsCancellationRequested) break;
            console.Error.WriteLine($"[{index + 1}/{loads.Count}] {load.Name}");
            reports.Add(await ServeBenchmark.RunAsync(target, load, console.Error, cancellation));
            ServeTable.Write(reports[^1], console.Output);
        }
        if (reports.Count > 1) ServeTable.WriteComparison(reports, console.Output);
        s_files.Write(parsed, ServeJson.Write(target, reports), () => ServePlot.Draw(reports));
        cancellation.ThrowIfCancellationRequested();
        return reports.Exists(report => report.Completed > 0) ? 0 : 1;
    }

    private static ServeOptions Read(ParseResult parsed)
    {
        var (rate, shared, requests) = (parsed.GetValue(s_rate), parsed.GetValue(s_sharedPrefix), parsed.GetValue(s_requests));
        if (rate is not (null or > 0 and <= 10_000))
            throw new FormatException(FormattableString.Invariant($"--rate is {rate}; it must be above 0 and at most 10000."));
        if (shared is not (>= 0 and <= 1))
            throw new FormatException(FormattableString.Invariant($"--shared-prefix is {shared}; it must be from 0 to 1."));
        return new ServeOptions
        {
            Rate = rate,
            Seed = parsed.GetValue(s_seed),
            Turns = parsed.GetValue(s_turns),
            SystemWords = parsed.GetValue(s_systemWords),
            PromptWords = 1,
            MaxTokens = parsed.GetValue(s_maxTokens),
            IgnoreEos = parsed.GetValue(s_ignoreEos),
            Strengths = s_strengths.NumbersOf(parsed),
            Requests = requests,
            Seconds = requests is null ? parsed.GetValue(s_seconds) ?? DefaultSeconds : null,
            Goodput = parsed.GetValue(s_goodput) is { } goodput ? Goodput.Parse(goodput) : null,
        };
    }

    /// <summary>The same with texts of the length that is asked for.</summary>
    private static ServeOptions WithWords(ServeOptions options, ServeProbe probe, ParseResult parsed)
    {
        var tokens = parsed.GetValue(s_inputTokens) ?? (options.Turns > 1 ? DefaultTurnTokens : DefaultInputTokens);
        var words = options.Turns > 1 ? probe.WordsOfTurn(tokens) : probe.WordsOfRequest(tokens);
        return options with { PromptWords = words, SharedWords = (int)Math.Round(words * parsed.GetValue(s_sharedPrefix)) };
    }
}
