using System.Text;
using DeRa.Text;

namespace DeRa.Serving.Requests;

/// <summary>Checks the fields that say which tokens may be sampled and which end the text.</summary>
/// <param name="tokenizer">The pair's tokenizer.</param>
/// <param name="context">What ends a text where a request says nothing, how many of each a request may name, and the vocabulary.</param>
internal sealed class TokenFields(ITokenizer tokenizer, FieldContext context)
{
    private readonly RequestLimits _limits = context.Limits;
    private readonly IReadOnlySet<int> _ends = context.Defaults.EndOfSequenceTokens;

    /// <summary>Checks ids against the vocabulary.</summary>
    /// <exception cref="InvalidRequestException">One is outside.</exception>
    public static void CheckIds(string field, IReadOnlyList<int> tokens, NumberRange range)
    {
        for (var i = 0; i < tokens.Count; i++) range.Check($"{field}[{i}]", tokens[i]);
    }

    /// <summary>What ends a sequence.</summary>
    /// <exception cref="InvalidRequestException"><c>stop_token_ids</c> has too many entries, or one outside the vocabulary.</exception>
    public IReadOnlySet<int> StopTokens(GenerationInput input)
    {
        var own = Checked("stop_token_ids", input.StopTokenIds ?? [], _limits.MaxStopTokens);
        if (own.Count == 0 && !input.IgnoreEos) return _ends;
        return (input.IgnoreEos ? own : own.Union(_ends)).ToHashSet();
    }

    /// <summary>Of them, those that the request itself names: a response says by which of these it ended, as vLLM's do.</summary>
    public IReadOnlySet<int> NamedStopTokens(GenerationInput input) =>
        (input.StopTokenIds ?? []).Where(token => input.IgnoreEos || !_ends.Contains(token)).ToHashSet();

    /// <summary>What <c>min_tokens</c> holds back: end-of-sequence tokens too where they are ignored, as in vLLM.</summary>
    public IReadOnlyList<int> EndTokens(GenerationInput input) => input.MinTokens is null or 0 ? []
        : [.. (input.StopTokenIds ?? []).Union(_ends).Where(token => token >= 0 && token < context.Capacity.VocabularySize)];

    /// <summary>What alone may be sampled; null = everything.</summary>
    /// <exception cref="InvalidRequestException">
    /// <c>allowed_token_ids</c> is empty, too long, or holds an id outside the vocabulary.
    /// </exception>
    public IReadOnlyList<int>? Allowed(GenerationInput input)
    {
        const string field = "allowed_token_ids";
        if (input.AllowedTokenIds is not { } allowed) return null;
        if (allowed.Count == 0)
            throw new InvalidRequestException(field, $"'{field}' is empty; between 1 and {_limits.MaxAllowedTokens} ids are allowed.");
        return [.. Checked(field, allowed, _limits.MaxAllowedTokens).Distinct()];
    }

    /// <summary>The token sequences that the bad words are encoded as.</summary>
    /// <exception cref="InvalidRequestException">
    /// <c>bad_words</c> has too many entries, or one that is blank, too long or cannot be encoded.
    /// </exception>
    public IReadOnlyList<IReadOnlyList<int>> BadWords(GenerationInput input)
    {
        const string field = "bad_words";
        var words = input.BadWords ?? [];
        FieldCount.Check(field, words.Count, _limits.MaxBadWords, "entries");
        for (var i = 0; i < words.Count; i++)
            if (Encoding.UTF8.GetByteCount(words[i]) is var bytes
                && (bytes > _limits.MaxStopStringBytes || string.IsNullOrWhiteSpace(words[i])))
                throw new InvalidRequestException(field,
                    $"'{field}[{i}]' has {bytes} bytes; between 1 and {_limits.MaxStopStringBytes} are allowed, and not only blanks.");
        try
        {
            return [.. words.SelectMany(Encodings)];
        }
        catch (TokenizerException error)
        {
            throw new InvalidRequestException(field, $"'{field}' cannot be encoded: {error.Message}.");
        }
    }

    /// <summary>
    /// A word as letters and, where it holds the text of special tokens, as these too: a model may write it either way.
    /// </summary>
    private IEnumerable<IReadOnlyList<int>> Encodings(string word)
    {
        var letters = Encodings(word, parseSpecialTokens: false).ToList();
        return letters.Concat(Encodings(word, parseSpecialTokens: true)
            .Where(tokens => !letters.Any(known => known.SequenceEqual(tokens))));
    }

    /// <summary>
    /// A word as it begins a text and as it follows another word: as in vLLM, but that the second counts whatever its
    /// length. Where it ends with the first it forbids nothing more.
    /// </summary>
    private IEnumerable<IReadOnlyList<int>> Encodings(string word, bool parseSpecialTokens)
    {
        var text = word.TrimStart();
        var alone = tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens);
        if (alone.Count > 0) yield return alone;
        var after = tokenizer.Encode(" " + text, addSpecialTokens: false, parseSpecialTokens);
        if (after.Count > 0 && !(alone.Count > 0 && after.TakeLast(alone.Count).SequenceEqual(alone))) yield return after;
    }

    private IReadOnlyList<int> Checked(string field, IReadOnlyList<int> tokens, int most)
    {
        FieldCount.Check(field, tokens.Count, most, "ids");
        CheckIds(field, tokens, context.Tokens);
        return tokens;
    }
}
