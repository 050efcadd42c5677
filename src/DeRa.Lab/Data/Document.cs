using DeRa.Text;

namespace DeRa.Lab.Data;

/// <summary>A text to learn from.</summary>
/// <param name="Prompt">What is given; no loss is taken on it. May be empty.</param>
/// <param name="Text">What is learned; not empty unless only prompts are read.</param>
internal sealed record Document(string Prompt, string Text);

/// <summary>A document in tokens, end token included.</summary>
/// <param name="Tokens">What the model reads.</param>
/// <param name="PromptTokens">How many of them are given; no loss is taken on those.</param>
internal sealed record EncodedDocument(int[] Tokens, int PromptTokens)
{
    /// <summary>
    /// Encodes as the server does: the prompt with the tokenizer's leading special tokens and those that a chat template wrote in it,
    /// the rest as its continuation.
    /// </summary>
    public static EncodedDocument Of(Document document, ITokenizer tokenizer, int endToken)
    {
        var prompt = tokenizer.Encode(document.Prompt, parseSpecialTokens: true);
        return new EncodedDocument([.. prompt, .. tokenizer.Encode(document.Text, addSpecialTokens: false), endToken], prompt.Count);
    }
}
