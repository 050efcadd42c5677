using DeRa.Cli.Arguments;

namespace DeRa.Cli.Bench.Serve;

/// <summary>What two short requests tell before a measurement: that the server takes them, and how many tokens it makes of words.</summary>
/// <param name="TokensPerWord">Above 0; 1 where the server does not count.</param>
/// <param name="OtherTokens">Tokens of a request without words, such as a chat template's.</param>
internal sealed record ServeProbe(double TokensPerWord, double OtherTokens)
{
    private const int FewWords = 20, ManyWords = 120;

    /// <summary>Makes the requests.</summary>
    /// <exception cref="HttpRequestException">One failed; the message says how.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<ServeProbe> RunAsync(ServeTarget target, CancellationToken cancellation)
    {
        using var client = new ServeClient(target, connections: 1);
        var few = await CountAsync(client, target, FewWords, cancellation);
        var many = await CountAsync(client, target, ManyWords, cancellation);
        if (many <= few) return new ServeProbe(1, 0);
        var perWord = (double)(many - few) / (ManyWords - FewWords);
        return new ServeProbe(perWord, Math.Max(0, few - FewWords * perWord));
    }

    /// <summary>Words of a request by itself of about so many tokens; at least 1.</summary>
    public int WordsOfRequest(int tokens) => WordsOfTurn(tokens - (int)OtherTokens);

    /// <summary>Words that are about so many tokens; at least 1.</summary>
    public int WordsOfTurn(int tokens) => Math.Max(1, (int)Math.Round(tokens / TokensPerWord));

    private static async Task<int> CountAsync(ServeClient client, ServeTarget target, int words, CancellationToken cancellation)
    {
        var options = new ServeOptions { PromptWords = words, MaxTokens = 1 };
        var text = ConversationTexts.Some(new Random(), words);
        var asked = await client.AskAsync([new ChatMessage("user", text)], options, strength: null, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (asked.Failure is null) return asked.PromptTokens;
        var hint = asked.Status is 401 or 403
            ? $"; {ServerArguments.KeyDescription}" : "";
        throw new HttpRequestException($"--url {target.Server}: {asked.Failure}: {asked.FailureMessage}{hint}");
    }
}
