using System.Text.RegularExpressions;
using DeRa.Lab.Data;
using DeRa.Text;

namespace DeRa.Lab.Reproduction;

/// <summary>
/// Texts of random length for the length experiment: given ones truncated at the first end of a sentence after a random number of
/// tokens. The number is uniform up to a limit, so that a model which predicts the end well knows its position in the text.
/// </summary>
internal sealed partial class LengthTexts
{
    private const int EvaluationShare = 10;

    private LengthTexts(IReadOnlyList<Document> training, IReadOnlyList<Document> evaluation) =>
        (Training, Evaluation) = (training, evaluation);

    /// <summary>What the SFT model learns from, and whose beginnings are the prompts of alignment.</summary>
    public IReadOnlyList<Document> Training { get; }

    /// <summary>Every tenth text: only their beginnings are used, as prompts of the evaluation.</summary>
    public IReadOnlyList<Document> Evaluation { get; }

    /// <summary>
    /// Cuts each text at the first end of a sentence after 1 to <paramref name="maxTokens"/> tokens; a text without one stays whole.
    /// </summary>
    public static LengthTexts Of(IReadOnlyList<Document> stories, ITokenizer tokenizer, int maxTokens, long seed)
    {
        var random = new Random((int)seed);
        var truncated = stories.Select(story => Truncate(story.Text, tokenizer, 1 + random.Next(maxTokens))).ToArray();
        return new LengthTexts(
            [.. truncated.Where((_, i) => i % EvaluationShare != 0)], [.. truncated.Where((_, i) => i % EvaluationShare == 0)]);
    }

    private static Document Truncate(string story, ITokenizer tokenizer, int tokens)
    {
        var start = tokenizer.Decode(tokenizer.Encode(story, addSpecialTokens: false).Take(tokens)).Length;
        var end = SentenceEnd().Match(story, Math.Min(start, story.Length - 1));
        return new Document("", (end.Success ? story[..(end.Index + end.Length)] : story).Trim());
    }

    [GeneratedRegex("""[.!?]+"?(?=\s|$)""")]
    private static partial Regex SentenceEnd();
}
