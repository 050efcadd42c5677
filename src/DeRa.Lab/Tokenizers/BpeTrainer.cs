using System.Runtime.InteropServices;
using DeRa.Text.Tokenizers;
using DeRa.Text.Tokenizers.Bpe;
using DeRa.Text.Tokenizers.HuggingFace;

namespace DeRa.Lab.Tokenizers;

/// <summary>
/// Learns a byte-level byte-pair encoding as GPT-2 has it. Gives the merges that Hugging Face's BpeTrainer gives with the
/// bytes as its initial alphabet: bytes take their ids in the order of their characters, and of equally frequent pairs the
/// one with the lowest left id, then the lowest right id, merges first.
/// </summary>
internal static class BpeTrainer
{
    private const int ByteCount = 256;

    /// <summary>The default special token that ends a text.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Learns merges until the vocabulary is full.</summary>
    /// <param name="texts">The texts; no token reaches over the end of one.</param>
    /// <param name="vocabularySize">Tokens in all: at least 256 and the special tokens.</param>
    /// <param name="specialTokens">
    /// At least one; each of two or more printable ASCII characters without space. They split the texts where they occur.
    /// </param>
    /// <returns>A vocabulary of exactly <paramref name="vocabularySize"/> tokens.</returns>
    /// <exception cref="ArgumentException">
    /// An argument is out of its range, the texts are empty, or they have too few pairs for the size.
    /// </exception>
    public static TrainedBpe Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens)
    {
        CheckSpecialTokens(specialTokens);
        var smallest = ByteCount + specialTokens.Count;
        if (vocabularySize < smallest || vocabularySize > TokenTable.HighestId + 1)
            throw new ArgumentException(
                $"The vocabulary size {vocabularySize} is out of range: {smallest} (256 bytes and {specialTokens.Count} special "
                + $"tokens) to {TokenTable.HighestId + 1}.");
        var pieces = CountPieces(texts, specialTokens);
        if (pieces.Count == 0) throw new ArgumentException("The training text is empty; at least one character is needed.");

        var learner = new MergeLearner(specialTokens, pieces);
        while (learner.Vocabulary.Count < vocabularySize)
            if (!learner.MergeNext())
                throw new ArgumentException(
                    $"The training text has too few pairs for the vocabulary size {vocabularySize}: "
                    + $"{smallest} to {learner.Vocabulary.Count} is possible.");
        return new TrainedBpe([.. specialTokens], learner.Vocabulary, learner.Merges);
    }

    /// <summary>
    /// Printable ASCII represents itself in the vocabulary, and texts are split at special tokens: no merge can produce one.
    /// </summary>
    private static void CheckSpecialTokens(IReadOnlyList<string> specialTokens)
    {
        if (specialTokens.Count == 0) throw new ArgumentException("There is no special token; at least one, which ends a text, is needed.");
        foreach (var token in specialTokens)
            if (token.Length < 2 || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
                throw new ArgumentException(
                    $"The special token '{token}' must be two or more printable ASCII characters without space.");
        if (specialTokens.GroupBy(token => token, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"The special token '{twice.Key}' is given twice; each must be another.");
    }

    private static Dictionary<string, long> CountPieces(IEnumerable<string> texts, IReadOnlyList<string> specialTokens)
    {
        var splitter = new AddedTokenSplitter(specialTokens.Select((token, id) =>
            (token, new AddedToken(id, token, SingleWord: false, LeftStrip: false, RightStrip: false, Normalized: false, Special: true))));
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var text in texts)
            foreach (var stretch in splitter.Split(text).Where(stretch => stretch.Token is null))
                CountPieces(text[stretch.Start..stretch.End], counts);
        return counts.ToDictionary(piece => ByteLevelAlphabet.Encode(piece.Key), piece => piece.Value, StringComparer.Ordinal);
    }

    private static void CountPieces(string text, Dictionary<string, long> counts)
    {
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (start, end) in HuggingFacePattern.Gpt2.Matches(text))
        {
            var piece = text.AsSpan(start, end - start);
            CollectionsMarshal.GetValueRefOrAddDefault(lookup, piece, out _)++;
        }
    }
}

/// <summary>A byte-level byte-pair encoding: what <see cref="BpeTrainer"/> learned.</summary>
/// <param name="SpecialTokens">The special tokens, whose ids are 0, 1, …; the first ends a text.</param>
/// <param name="Vocabulary">All tokens by id, in GPT-2's representation of bytes: special tokens, the 256 bytes, merged tokens.</param>
/// <param name="Merges">The pairs of tokens that merge, the first to be merged first.</param>
internal sealed record TrainedBpe(
    IReadOnlyList<string> SpecialTokens,
    IReadOnlyList<string> Vocabulary,
    IReadOnlyList<(string Left, string Right)> Merges);
