namespace DeRa.Text;

/// <summary>
/// Maps text to token ids and back. Immutable after loading: every member may be called from any thread.
/// </summary>
public interface ITokenizer
{
    /// <summary>One more than the highest token id, added tokens included; ids run over [0, VocabularySize).</summary>
    int VocabularySize { get; }

    /// <summary>Whether special tokens are looked for in normalized text, where other characters may become one.</summary>
    bool NormalizesSpecialTokens { get; }

    /// <summary>Encodes text to token ids.</summary>
    /// <param name="text">Any Unicode text; lone surrogates become U+FFFD.</param>
    /// <param name="addSpecialTokens">Adds what the tokenizer's post-processor adds (usually the BOS token).</param>
    /// <param name="parseSpecialTokens">
    /// Reads the text of a special token (such as <c>&lt;/s&gt;</c>) as that token. Off for whatever a user wrote.
    /// </param>
    /// <returns>Token ids in [0, <see cref="VocabularySize"/>).</returns>
    IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = false);

    /// <summary>
    /// Encodes text of which only some was written by someone who may use special tokens, such as a rendered chat template:
    /// special tokens are read, but none across a boundary. Boundaries change nothing else: they do not split pieces.
    /// </summary>
    /// <param name="text">Any Unicode text; lone surrogates become U+FFFD.</param>
    /// <param name="addSpecialTokens">Adds what the tokenizer's post-processor adds (usually the BOS token).</param>
    /// <param name="boundaries">
    /// UTF-16 offsets in (0, length of the text), ascending; a boundary lies between text[i − 1] and text[i]. The text of a
    /// special token that has one strictly inside, or at its end where it is a single character, stays text.
    /// </param>
    /// <returns>Token ids in [0, <see cref="VocabularySize"/>).</returns>
    /// <exception cref="ArgumentException">The boundaries do not ascend or lie outside the text.</exception>
    IReadOnlyList<int> Encode(string text, bool addSpecialTokens, IReadOnlyList<int> boundaries);

    /// <summary>The bytes that a token adds to the text; empty for special tokens and for ids that name no token.</summary>
    /// <param name="token">A token id in [0, <see cref="VocabularySize"/>).</param>
    ReadOnlyMemory<byte> GetBytes(int token);

    /// <summary>
    /// The token's text in the vocabulary (<c>Ġthe</c>, <c>▁the</c>, <c>&lt;0x0A&gt;</c>), or null where the id names no token.
    /// </summary>
    /// <param name="token">A token id in [0, <see cref="VocabularySize"/>).</param>
    string? GetToken(int token);

    /// <summary>Whether the id is a special (control) token, which decoding leaves out.</summary>
    /// <param name="token">A token id.</param>
    bool IsSpecial(int token);

    /// <summary>Starts a streaming decoder that never splits a UTF-8 character.</summary>
    /// <param name="continuesText">
    /// True where the tokens follow other text (a completion after its prompt): a leading space that the tokenizer adds
    /// at the start of a text is then kept. False where they begin one.
    /// </param>
    /// <param name="skipSpecialTokens">Leaves special tokens out of the text.</param>
    StreamingDecoder CreateDecoder(bool continuesText, bool skipSpecialTokens = true);

    /// <summary>Decodes whole token lists; the same text that a streaming decoder gives.</summary>
    /// <param name="tokens">Token ids in [0, <see cref="VocabularySize"/>).</param>
    /// <param name="skipSpecialTokens">Leaves special tokens out of the text.</param>
    string Decode(IEnumerable<int> tokens, bool skipSpecialTokens = true)
    {
        var decoder = CreateDecoder(continuesText: false, skipSpecialTokens);
        return string.Concat(tokens.Select(decoder.Append)) + decoder.Finish();
    }
}

/// <summary>Turns tokens into text one at a time. Owned by one thread at a time.</summary>
public abstract class StreamingDecoder
{
    /// <summary>Takes one token and returns the text that is complete with it: empty while a UTF-8 character is unfinished.</summary>
    /// <param name="token">A token id.</param>
    public abstract string Append(int token);

    /// <summary>Returns what was held back; bytes that never became a character come out as U+FFFD.</summary>
    public abstract string Finish();
}
