using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>A request to <c>/tokenize</c>.</summary>
/// <param name="Model">One of the served names; null = the pair.</param>
/// <param name="Prompt">A text or a conversation.</param>
/// <param name="AddSpecialTokens">Whether the tokenizer adds its special tokens; null = as for a request that generates.</param>
/// <param name="ParseSpecial">Whether special tokens are read in a text.</param>
/// <param name="TokenStrings">Whether the tokens' texts are wanted too.</param>
/// <param name="Ignored">Fields that nobody here knows.</param>
internal sealed record TokenizeInput(
    string? Model, PromptInput Prompt, bool? AddSpecialTokens, bool ParseSpecial, bool TokenStrings, IReadOnlyList<string> Ignored);

/// <summary>Reads the body of <c>POST /tokenize</c>: a text or a conversation, as vLLM has them.</summary>
internal static class TokenizeRequestReader
{
    /// <summary>What it does with each field beside a prompt.</summary>
    public static FieldTable TextTable { get; } =
        new("TokenizeTextRequest", EndpointFields.TokenizeText, UnsupportedFields.TokenizeText);

    /// <summary>What it does with each field beside messages.</summary>
    public static FieldTable ChatTable { get; } =
        new("TokenizeChatRequest", EndpointFields.TokenizeChat, UnsupportedFields.TokenizeChat);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidRequestException">
    /// A field of the wrong type, one that does not work, or neither a prompt nor messages.
    /// </exception>
    public static TokenizeInput Read(JsonElement body, ServedPair pair)
    {
        var isChat = body.EnumerateObject().Any(field =>
            FieldText.Name(field) == RequestFields.Messages.Name && field.Value.ValueKind != JsonValueKind.Null);
        var fields = new JsonFields(body, isChat ? ChatTable : TextTable, pair);
        return new TokenizeInput(fields.Text(RequestFields.Model), isChat ? ChatRequestReader.Prompt(fields) : Text(fields),
            fields.Flag(RequestFields.AddSpecialTokens), fields.IsTrue(RequestFields.ParseSpecial),
            fields.IsTrue(RequestFields.ReturnTokenStrings), fields.Ignored);
    }

    private static TextPrompt Text(JsonFields fields) => new(fields.Text(RequestFields.TextPrompt)
        ?? throw new InvalidRequestException("prompt", "'prompt' is missing; it or 'messages' is needed."));
}
