using System.Text;
using DeRa.Text;

namespace DeRa.Serving.Requests;

/// <summary>Checks the fields that say which tokens may be sampled and which end the text.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="defaults">What ends a text where a request says nothing.</param>
/// <param name="limits">How many of each a request may name.</param>
/// <param name="vocabularySize">Token ids run over [0, vocabularySize).</param>
internal sealed class TokenFields(ITokenizer tokenizer, GenerationDefaults defaults, RequestLimits limits, int vocabularySize)
{
    /// <summary>What ends a sequence.</summary>
    /// <exception cref="InvalidRequestException"><c>stop_token_ids</c> has too many entries, or one outside the vocabulary.</exception>
    public IReadOnlySet<int> StopTokens(GenerationInput input)
    {
        var own = Checked("stop_token_ids", input.StopTokenIds ?? [], limits.MaxStopTokens);
        if (own.Count == 0 && !input.IgnoreEos) return defaults.EndOfSequenceTokens;
        return (input.IgnoreEos ? own : own.Union(defaults.EndOfSequenceTokens)).ToHashSet();
    }

    /// <summary>Of them, those that the request itself names: an answer tells by which of these it ended, as vLLM's do.</summary>
    public IReadOnlySet<int> NamedStopTokens(GenerationInput input) =>
        (input.StopTokenIds ?? []).Where(token => input.IgnoreEos || !defaults.EndOfSequenceTokens.Contains(token)).ToHashSet();

    /// <summary>What <c>min_tokens</c> holds back: end-of-sequence tokens too where they are ignored, as in vLLM.</summary>
    public IReadOnlyList<int> EndTokens(GenerationInput input) => input.MinTokens is null or 0 ? []
        : [.. (input.StopTokenIds ?? []).Union(defaults.EndOfSequenceTokens).Where(token => token >= 0 && token < vocabularySize)];

    /// <summary>What alone may be sampled; null = everything.</summary>
    /// <exception cref="InvalidRequestException"><c>allowed_token_ids</c> is empty, too long, or holds an id outside the vocabulary.</exception>
    public IReadOnlyList<int>? Allowed(GenerationInput input)
    {
        const string field = "allowed_token_ids";
        if (input.AllowedTokenIds is not { } allowed) return null;
        if (allowed.Count == 0) throw new InvalidRequestException(field, $"'{field}' is empty; between 1 and {limits.MaxAllowedTokens} ids are allowed.");
        return [.. Checked(field, allowed, limits.MaxAllowedTokens).Distinct()];
    }

    /// <summary>The token sequences that spell the bad words.</summary>
    /// <exception cref="InvalidRequestException"><c>bad_words</c> has too many entries, or one that is blank, too long or cannot be encoded.</exception>
    public IReadOnlyList<IReadOnlyList<int>> BadWords(GenerationInput input)
    {
        const string field = "bad_words";
        var words = input.BadWords ?? [];
        FieldRange.Count(field, words.Count, limits.MaxBadWords, "entries");
        for (var i = 0; i < words.Count; i++)
            if (Encoding.UTF8.GetByteCount(words[i]) is var bytes && (bytes > limits.MaxStopStringBytes || string.IsNullOrWhiteSpace(words[i])))
                throw new InvalidRequestException(field,
                    $"'{field}[{i}]' has {bytes} bytes; between 1 and {limits.MaxStopStringBytes} are allowed, and not only blanks.");
        try
        {
            return [.. words.SelectMany(Spellings)];
        }
        catch (TokenizerException error)
        {
            throw new InvalidRequestException(field, $"'{field}' cannot be encoded: {error.Message}.");
        }
    }

    /// <summary>
    /// A word as letters and, where it spells special tokens, as these too: a model may write it either way.
    /// </summary>
    private IEnumerable<IReadOnlyList<int>> Spellings(string word)
    {
        var letters = Spellings(word, parseSpecialTokens: false).ToList();
        return letters.Concat(Spellings(word, parseSpecialTokens: true)
            .Where(tokens => !letters.Any(known => known.SequenceEqual(tokens))));
    }

    /// <summary>
    /// A word as it begins a text and as it follows another word: as in vLLM, but that the second counts whatever its
    /// length. Where it ends with the first it forbids nothing more.
    /// </summary>
    private IEnumerable<IReadOnlyList<int>> Spellings(string word, bool parseSpecialTokens)
    {
        var text = word.TrimStart();
        var alone = tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens);
        if (alone.Count > 0) yield return alone;
        var after = tokenizer.Encode(" " + text, addSpecialTokens: false, parseSpecialTokens);
        if (after.Count > 0 && !(alone.Count > 0 && after.TakeLast(alone.Count).SequenceEqual(alone))) yield return after;
    }

    private IReadOnlyList<int> Checked(string field, IReadOnlyList<int> tokens, int most)
    {
        FieldRange.Count(field, tokens.Count, most, "ids");
        for (var i = 0; i < tokens.Count; i++) FieldRange.Between($"{field}[{i}]", tokens[i], 0, vocabularySize - 1);
        return tokens;
    }
}
