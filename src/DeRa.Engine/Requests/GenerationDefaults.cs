using DeRa.Engine.Text;

namespace DeRa.Engine.Requests;

/// <summary>What a pair's folders say about generating: used where a request says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>End-of-sequence token ids: the union of both models'.</summary>
    public IReadOnlySet<int> EndOfSequenceTokens { get; init; } = new HashSet<int>();

    /// <summary>Temperature; 1 where the folders say nothing.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Top-k; 0 = all, where the folders say nothing.</summary>
    public int TopK { get; init; }

    /// <summary>Top-p; 1 where the folders say nothing.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Min-p; 0 where the folders say nothing.</summary>
    public double MinP { get; init; }

    /// <summary>Repetition penalty; 1 where the folders say nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Strings that end a text, beside those of a request: the union of both models'.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Lays out chats; null = <see cref="PlainChatTemplate"/>.</summary>
    public ChatTemplate? ChatTemplate { get; init; }

    /// <summary>The aligned model's values, else the reference's; the end-of-sequence tokens and stop strings of both.</summary>
    public static GenerationDefaults Of(GenerationConfig reference, GenerationConfig aligned) => new()
    {
        EndOfSequenceTokens = aligned.EndTokens.Union(reference.EndTokens).ToHashSet(),
        // A file may hold a temperature that no request may ask for.
        Temperature = Math.Min(2, aligned.Temperature ?? reference.Temperature ?? 1),
        TopK = aligned.TopK ?? reference.TopK ?? 0,
        TopP = aligned.TopP ?? reference.TopP ?? 1,
        MinP = aligned.MinP ?? reference.MinP ?? 0,
        StopStrings = [.. aligned.StopStrings.Union(reference.StopStrings)],
        RepetitionPenalty = aligned.RepetitionPenalty ?? reference.RepetitionPenalty ?? 1,
    };
}
