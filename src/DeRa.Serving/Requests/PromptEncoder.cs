using DeRa.Text;
using DeRa.Text.Chat;

namespace DeRa.Serving.Requests;

/// <summary>Turns a prompt into token ids that every model of the pair knows.</summary>
internal sealed class PromptEncoder(ITokenizer tokenizer, ChatTemplate? template, int vocabularySize)
{
    private readonly ChatEncoder _chats = new(tokenizer, template);

    /// <param name="prompt">The prompt.</param>
    /// <param name="addSpecialTokens">Whether the tokenizer adds its special tokens; null = as the prompt's kind has it.</param>
    /// <param name="parseSpecial">Whether special tokens are read in a text.</param>
    /// <exception cref="InvalidRequestException">
    /// An empty prompt, an id outside [0, vocabularySize), messages that the chat template refuses or in which special tokens are
    /// to be read, or a text that the tokenizer cannot encode.
    /// </exception>
    public IReadOnlyList<int> Encode(PromptInput prompt, bool? addSpecialTokens = null, bool parseSpecial = false) =>
        Tokenize(prompt, addSpecialTokens, parseSpecial) is { Count: > 0 } tokens ? tokens
            : throw new InvalidRequestException(prompt.Field, prompt is ChatPrompt { Messages.Count: > 0 }
                ? $"The model's chat template writes nothing for '{prompt.Field}'; at least one token is needed."
                : $"'{prompt.Field}' is empty; at least one token is needed.");

    /// <summary>The same; a prompt may be empty.</summary>
    /// <inheritdoc cref="Encode"/>
    public IReadOnlyList<int> Tokenize(PromptInput prompt, bool? addSpecialTokens, bool parseSpecial)
    {
        if (parseSpecial && prompt is ChatPrompt)
            throw new InvalidRequestException(prompt.Field, $"'{prompt.Field}' is a conversation, with which 'parse_special' does not "
                + "work: the chat template writes its special tokens.");
        var tokens = Tokens(prompt, addSpecialTokens, parseSpecial);
        for (var i = 0; i < tokens.Count; i++)
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) throw Outside(prompt, tokens[i], i);
        return tokens;
    }

    private IReadOnlyList<int> Tokens(PromptInput prompt, bool? addSpecialTokens, bool parseSpecial)
    {
        try
        {
            return prompt switch
            {
                // Who writes special tokens writes all of them, BOS too.
                TextPrompt text => tokenizer.Encode(text.Text, addSpecialTokens ?? !parseSpecial, parseSpecial),
                TokenPrompt ids => ids.Tokens,
                ChatPrompt chat => _chats.Encode(chat, addSpecialTokens),
                _ => throw new ArgumentException("unknown kind of prompt", nameof(prompt)),
            };
        }
        catch (TokenizerException error)
        {
            throw new InvalidRequestException(prompt.Field, $"'{prompt.Field}' cannot be encoded: {error.Message}.");
        }
    }

    private InvalidRequestException Outside(PromptInput prompt, int token, int place) =>
        new(prompt.Field, $"'{prompt.Field}' holds the token id {token} at place {place}; ids run from 0 to {vocabularySize - 1}.");
}
