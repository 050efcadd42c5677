using System.Globalization;

namespace DeRa.Benchmarks.Load;

/// <summary>What a load measured.</summary>
internal sealed record LoadReport
{
    /// <summary>The load.</summary>
    public required LoadOptions Options { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests that ended, in whatever way.</summary>
    public required int Requests { get; init; }

    /// <summary>Requests that the end of the load cut off, beside <see cref="Requests"/>; their tokens count.</summary>
    public required int CutOff { get; init; }

    /// <summary>Conversations that had all their turns.</summary>
    public required int CompletedConversations { get; init; }

    /// <summary>Conversations that ended since the next turn did not fit into the model's context.</summary>
    public required int OutgrownConversations { get; init; }

    /// <summary>How many of <see cref="Requests"/> failed, by kind.</summary>
    public required IReadOnlyDictionary<string, int> Failures { get; init; }

    /// <summary>How many of <see cref="Requests"/> failed.</summary>
    public int Failed => Failures.Values.Sum();

    /// <summary>Tokens of replies.</summary>
    public required double OutputTokensPerSecond { get; init; }

    /// <summary>Tokens of the conversations that were sent, of requests that ended.</summary>
    public required double PromptTokensPerSecond { get; init; }

    /// <summary>Share of prompt tokens that the server had computed before, in [0, 1]; null where it does not say.</summary>
    public required double? CachedShare { get; init; }

    /// <summary>From a request to the first piece of its reply; null where none came.</summary>
    public required Percentiles? FirstToken { get; init; }

    /// <summary>Between a piece of a reply and the next; a piece may hold several tokens.</summary>
    public required Percentiles? BetweenTokens { get; init; }

    /// <summary>From a request to the end of its reply.</summary>
    public required Percentiles? WholeRequest { get; init; }

    /// <summary>Writes the table.</summary>
    public void Write(TextWriter output)
    {
        Line($"clients            {Options.Clients}, for {Seconds:F1} s");
        Line($"requests           {Requests}, {Failed} failed; {CutOff} more cut off at the end");
        foreach (var (kind, count) in Failures) Line($"  {count,6} {kind}");
        Line($"conversations      {CompletedConversations} whole, {OutgrownConversations} outgrew the context");
        Line($"output tokens/s    {OutputTokensPerSecond:F1}");
        Line($"prompt tokens/s    {PromptTokensPerSecond:F1}");
        Line($"cached share       {(CachedShare is { } share ? share.ToString("F3", CultureInfo.InvariantCulture) : "not told")}");
        Line($"seconds              p50      p90      p99");
        Row("first token", FirstToken);
        Row("between tokens", BetweenTokens);
        Row("whole request", WholeRequest);

        void Row(string name, Percentiles? of) =>
            Line($"  {name,-15}{(of is null ? "none" : FormattableString.Invariant($"{of.P50,8:F3} {of.P90,8:F3} {of.P99,8:F3}"))}");

        void Line(FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
    }
}
