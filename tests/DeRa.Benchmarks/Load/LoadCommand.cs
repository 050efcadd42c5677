using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;

namespace DeRa.Benchmarks.Load;

/// <summary><c>load</c>: how much a server does for many clients that chat with it, and how long each waits.</summary>
internal static class LoadCommand
{
    private const int DefaultSeconds = 60;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    private static readonly Argument<Uri> s_server = ServerArgument.Create();

    private static readonly Option<int> s_clients = WholeNumberOption.Create(
        "--clients", "Clients at once, each with a connection of its own", 64, 1, 4096);

    private static readonly Option<int> s_turns = WholeNumberOption.Create("--turns", "User turns of a conversation", 4, 1, 1000);

    private static readonly Option<int> s_maxTokens = WholeNumberOption.Create(
        "--max-tokens", "Most tokens of a reply; 0 leaves max_tokens out", 64, 0, 1 << 20);

    private static readonly Option<IReadOnlyList<double>> s_strengths = new("--strengths")
    {
        Description = "Alignment strengths with commas between them, which conversations have in turn (default: none is sent)",
        CustomParser = ReadStrengths,
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<int?> s_seconds = WholeNumberOption.CreateOptional(
        "--seconds", $"How long requests are made, {DefaultSeconds} where --conversations is not given either", 1, 86_400);

    private static readonly Option<int?> s_conversations = WholeNumberOption.CreateOptional(
        "--conversations", "Hold so many conversations to their end instead", 1, 1 << 20);

    private static readonly Option<int> s_systemWords = WholeNumberOption.Create(
        "--system-words", "Words of the system prompt that all conversations share", 200, 0, 1 << 20);

    private static readonly Option<string?> s_model = new("--model") { Description = "The model's name (default: model is not sent)" };

    private static readonly Option<string?> s_json = new("--json") { Description = "File that takes the same figures as JSON" };

    public static Command Create()
    {
        var command = new Command("load", "Many clients in conversations with a server that speaks OpenAI's chat completions, streamed.")
        {
            s_server, s_clients, s_turns, s_maxTokens, s_strengths, s_seconds, s_conversations, s_systemWords, s_model, s_json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_seconds) is not null && result.GetValue(s_conversations) is not null)
                result.AddError("--seconds and --conversations are given; a load ends by one of them.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var conversations = parsed.GetValue(s_conversations);
        var options = new LoadOptions
        {
            Server = parsed.GetRequiredValue(s_server),
            Clients = parsed.GetValue(s_clients),
            Turns = parsed.GetValue(s_turns),
            MaxTokens = parsed.GetValue(s_maxTokens),
            Strengths = parsed.GetRequiredValue(s_strengths),
            SystemWords = parsed.GetValue(s_systemWords),
            Model = parsed.GetValue(s_model),
            Seconds = conversations is null ? parsed.GetValue(s_seconds) ?? DefaultSeconds : null,
            Conversations = conversations,
        };
        var output = parsed.InvocationConfiguration;
        var report = await LoadBenchmark.RunAsync(options, output.Error, cancellation);
        report.Write(output.Output);
        if (parsed.GetValue(s_json) is { } file)
            File.WriteAllText(file, JsonSerializer.Serialize(report, Json) + "\n");
        return report.Requests > report.Failed ? 0 : 1;
    }

    private static double[] ReadStrengths(ArgumentResult result)
    {
        var strengths = new List<double>();
        foreach (var part in result.Tokens.SelectMany(token => token.Value.Split(',')))
            if (double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var strength) && double.IsFinite(strength))
                strengths.Add(strength);
            else
                result.AddError($"--strengths holds '{part}'; it must be numbers with commas between them, as in 0,0.5,1.");
        return [.. strengths];
    }
}
