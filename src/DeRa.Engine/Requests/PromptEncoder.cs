using DeRa.Engine.Text;

namespace DeRa.Engine.Requests;

/// <summary>Turns a prompt into token ids that every model of the pair knows.</summary>
internal sealed class PromptEncoder(ITokenizer tokenizer, ChatTemplate? template, int vocabularySize)
{
    private readonly ChatEncoder _chats = new(tokenizer, template);

    /// <param name="prompt">The prompt.</param>
    /// <param name="addSpecialTokens">Whether the tokenizer adds its special tokens; null = as the prompt's kind has it.</param>
    /// <exception cref="InvalidRequestException">
    /// An empty prompt, an id outside [0, vocabularySize), messages that the chat template refuses, or a text that the tokenizer
    /// cannot encode.
    /// </exception>
    public IReadOnlyList<int> Encode(PromptInput prompt, bool? addSpecialTokens = null)
    {
        var tokens = Tokens(prompt, addSpecialTokens);
        if (tokens.Count == 0)
            throw new InvalidRequestException(prompt.Field, $"'{prompt.Field}' is empty; at least one token is needed.");
        for (var i = 0; i < tokens.Count; i++)
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) throw Outside(prompt, tokens[i], i);
        return tokens;
    }

    private IReadOnlyList<int> Tokens(PromptInput prompt, bool? addSpecialTokens)
    {
        try
        {
            return prompt switch
            {
                TextPrompt text => tokenizer.Encode(text.Text, addSpecialTokens ?? true),
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
