using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace DeRa.Cli.Bench.Serve;

/// <summary>One request and what has come of it so far. One task at a time.</summary>
internal sealed class ServeRequest
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly StringBuilder _reply = new();
    private long _last;
    private int? _completionTokens;

    /// <summary>The reply's text.</summary>
    public string Reply => _reply.ToString();

    /// <summary>In which way it failed; null = it has not.</summary>
    public string? Failure { get; set; }

    /// <summary>What the server or the connection says of the failure.</summary>
    public string FailureMessage { get; set; } = "";

    /// <summary>The HTTP status of a refusal; null = none.</summary>
    public int? Status { get; set; }

    /// <summary>Whether it was refused because the conversation no longer fits into the model's context.</summary>
    public bool IsTooLong { get; set; }

    /// <summary>Whether the measurement ended before it did.</summary>
    public bool IsInterrupted { get; set; }

    /// <summary>From the request to the first piece of text; null = there was none.</summary>
    public double? FirstTokenSeconds { get; private set; }

    /// <summary>Between each piece of text and the next.</summary>
    public List<double> GapSeconds { get; } = [];

    /// <summary>From the request to the end of the stream; null = it has not ended.</summary>
    public double? Seconds { get; private set; }

    /// <summary>
    /// From the first piece to the end, over the tokens after the first (vLLM's TPOT); null where it has not ended or has no such tokens.
    /// </summary>
    public double? SecondsPerToken => OutputTokens > 1 ? (Seconds - FirstTokenSeconds) / (OutputTokens - 1) : null;

    /// <summary>Tokens of the conversation that was sent; 0 where the server has not said.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Those of them that the server had computed before; null where it does not say.</summary>
    public int? CachedTokens { get; private set; }

    /// <summary>Tokens of the reply; pieces of text where the server has not said.</summary>
    public int OutputTokens => _completionTokens ?? (FirstTokenSeconds is null ? 0 : 1 + GapSeconds.Count);

    /// <summary>Takes an event of the stream.</summary>
    /// <param name="chunk">A <c>chat.completion.chunk</c>, a <c>text_completion</c>, or an error.</param>
    public void Take(JsonElement chunk)
    {
        if (chunk.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
            Failure = $"error in the stream: {KindOf(error)}";
        if (chunk.TryGetProperty("choices", out var choices) && choices.GetArrayLength() > 0
            && TextOf(choices[0]) is { Length: > 0 } text)
            TakeText(text);
        if (chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object) TakeUsage(usage);
    }

    /// <summary>The stream has come to its end.</summary>
    public void End() => Seconds = Stopwatch.GetElapsedTime(_began).TotalSeconds;

    /// <summary>What kind of error a server reports: its code where that is a word, else its type.</summary>
    public static string KindOf(JsonElement error) => Word(error, "code") ?? Word(error, "type") ?? "unknown";

    private static string? TextOf(JsonElement choice) =>
        choice.TryGetProperty("text", out var text) ? text.GetString()
        : choice.TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out var content) ? content.GetString() : null;

    private static string? Word(JsonElement error, string field) => error.ValueKind == JsonValueKind.Object
        && error.TryGetProperty(field, out var word) && word.ValueKind == JsonValueKind.String ? word.GetString() : null;

    private void TakeText(string text)
    {
        var now = Stopwatch.GetTimestamp();
        if (FirstTokenSeconds is null) FirstTokenSeconds = Stopwatch.GetElapsedTime(_began, now).TotalSeconds;
        else GapSeconds.Add(Stopwatch.GetElapsedTime(_last, now).TotalSeconds);
        _last = now;
        _reply.Append(text);
    }

    private void TakeUsage(JsonElement usage)
    {
        PromptTokens = usage.GetProperty("prompt_tokens").GetInt32();
        _completionTokens = usage.GetProperty("completion_tokens").GetInt32();
        if (usage.TryGetProperty("prompt_tokens_details", out var details) && details.ValueKind == JsonValueKind.Object
            && details.TryGetProperty("cached_tokens", out var cached) && cached.ValueKind == JsonValueKind.Number)
            CachedTokens = cached.GetInt32();
    }
}
