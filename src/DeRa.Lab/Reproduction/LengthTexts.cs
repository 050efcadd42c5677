using System.Text.RegularExpressions;
using DeRa.Lab.Data;

namespace DeRa.Lab.Reproduction;

/// <summary>Texts of random length for the length experiment: the first sentences of stories, as many as a draw says.</summary>
internal sealed partial class LengthTexts
{
    private const int EvaluationShare = 10;

    private LengthTexts(IReadOnlyList<Document> training, IReadOnlyList<Document> evaluation) => (Training, Evaluation) = (training, evaluation);

    /// <summary>What the SFT model learns from, and whose beginnings are the prompts of alignment.</summary>
    public IReadOnlyList<Document> Training { get; }

    /// <summary>Every tenth text: only their beginnings are used, as prompts of the evaluation.</summary>
    public IReadOnlyList<Document> Evaluation { get; }

    /// <summary>Cuts each document after 1 to <paramref name="maxSentences"/> sentences, or fewer where it has fewer.</summary>
    public static LengthTexts Of(IReadOnlyList<Document> stories, int maxSentences, long seed)
    {
        var random = new Random((int)seed);
        var cut = stories.Select(story => Cut(story.Text, 1 + random.Next(maxSentences))).ToArray();
        return new LengthTexts(
            [.. cut.Where((_, i) => i % EvaluationShare != 0)], [.. cut.Where((_, i) => i % EvaluationShare == 0)]);
    }

    private static Document Cut(string story, int sentences)
    {
        var end = SentenceEnd().Matches(story).Take(sentences).LastOrDefault() is { } last ? last.Index + last.Length : story.Length;
        return new Document("", story[..end].Trim());
    }

    [GeneratedRegex("""[.!?]+"?(?=\s|$)""")]
    private static partial Regex SentenceEnd();
}
