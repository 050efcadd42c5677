using DeRa.Engine.Text;

namespace DeRa.Engine.Requests;

/// <summary>Turns a prompt into token ids that every model of the pair knows.</summary>
internal static class PromptEncoder
{
    /// <exception cref="InvalidRequestException">An empty prompt, or an id outside [0, vocabularySize).</exception>
    public static IReadOnlyList<int> Encode(PromptInput prompt, ITokenizer tokenizer, int vocabularySize)
    {
        var tokens = prompt switch
        {
            TextPrompt text => tokenizer.Encode(text.Text, addSpecialTokens: true),
            TokenPrompt ids => ids.Tokens,
            ChatPrompt chat => tokenizer.Encode(Render(chat), addSpecialTokens: true),
            _ => throw new ArgumentException("unknown kind of prompt", nameof(prompt)),
        };
        if (tokens.Count == 0)
            throw new InvalidRequestException(prompt.Field, $"'{prompt.Field}' is empty; at least one token is needed.");
        for (var i = 0; i < tokens.Count; i++)
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) throw Outside(prompt, tokens[i], i, vocabularySize);
        return tokens;
    }

    private static string Render(ChatPrompt chat)
    {
        try
        {
            return PlainChatTemplate.Render(chat.Messages);
        }
        catch (ArgumentException refused)
        {
            throw new InvalidRequestException(chat.Field, refused.Message);
        }
    }

    private static InvalidRequestException Outside(PromptInput prompt, int token, int place, int vocabularySize) =>
        new(prompt.Field, $"'{prompt.Field}' holds the token id {token} at place {place}; ids run from 0 to {vocabularySize - 1}.");
}
