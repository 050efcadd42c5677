using DeRa.Text.Chat;
using DeRa.Text.Loading;

namespace DeRa.Serving.Requests;

/// <summary>What a pair's folders say about generating: used where a request says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>End-of-sequence token ids: the union of all models'.</summary>
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

    /// <summary>Strings that end a text, beside those of a request: the union of all models'.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>The KL strength β with which the aligned models were trained, above 0; null = nobody says.</summary>
    public double? Beta { get; init; }

    /// <summary>Lays out chats; null = <see cref="PlainChatTemplate"/>.</summary>
    public ChatTemplate? ChatTemplate { get; init; }

    /// <summary>The first aligned model's values, else the reference's; the end-of-sequence tokens and stop strings of all.</summary>
    public static GenerationDefaults Of(GenerationConfig reference, IReadOnlyList<GenerationConfig> aligned) => new()
    {
        EndOfSequenceTokens = aligned.Append(reference).SelectMany(model => model.EndTokens).ToHashSet(),
        // A file may hold a temperature that no request may ask for.
        Temperature = Math.Min(2, aligned[0].Temperature ?? reference.Temperature ?? 1),
        TopK = aligned[0].TopK ?? reference.TopK ?? 0,
        TopP = aligned[0].TopP ?? reference.TopP ?? 1,
        MinP = aligned[0].MinP ?? reference.MinP ?? 0,
        RepetitionPenalty = aligned[0].RepetitionPenalty ?? reference.RepetitionPenalty ?? 1,
        StopStrings = [.. aligned.Append(reference).SelectMany(model => model.StopStrings).Distinct()],
    };
}
