using DeRa.Text;

namespace DeRa.Lab.Data;

/// <summary>A document in tokens, end token included.</summary>
/// <param name="Tokens">What the model reads.</param>
/// <param name="PromptTokens">How many of them are given; no loss is taken on those.</param>
internal sealed record EncodedDocument(int[] Tokens, int PromptTokens)
{
    /// <summary>Encodes as the server encodes: the prompt with what the tokenizer puts before a text, the rest as it goes on.</summary>
    public static EncodedDocument Of(Document document, ITokenizer tokenizer, int endToken)
    {
        var prompt = tokenizer.Encode(document.Prompt);
        return new EncodedDocument([.. prompt, .. tokenizer.Encode(document.Text, addSpecialTokens: false), endToken], prompt.Count);
    }
}
