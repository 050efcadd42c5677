using DeRa.Text;

namespace DeRa.Lab.Data;

/// <summary>
/// Reads prompts: of a <c>.jsonl</c> file the prompts of its lines; of plain text the beginning of each document, as many
/// tokens as requested. Duplicate prompts are dropped.
/// </summary>
internal static class PromptFile
{
    /// <summary>Reads and encodes prompts.</summary>
    /// <param name="paths">Files.</param>
    /// <param name="fields">The names of the fields of a <c>.jsonl</c> line.</param>
    /// <param name="tokenizer">Encodes them, with what it puts before a text.</param>
    /// <param name="beginTokens">Tokens taken of a document of plain text, at least 1.</param>
    /// <exception cref="LabException">There is no prompt.</exception>
    public static IReadOnlyList<EncodedPrompt> Read(
        IEnumerable<string> paths, DocumentFields fields, ITokenizer tokenizer, int beginTokens)
    {
        var prompts = paths.SelectMany(path => DocumentFile.Read(path, fields, promptSuffices: true))
            .Select(document => Of(document, tokenizer, beginTokens))
            .Where(prompt => prompt.Tokens.Length > 0).DistinctBy(prompt => prompt.Text).ToArray();
        return prompts.Length > 0 ? prompts : throw new LabException("--prompts: there is no prompt in the files.");
    }

    /// <summary>A document's prompt; without one, its text's beginning.</summary>
    public static EncodedPrompt Of(Document document, ITokenizer tokenizer, int beginTokens) => document.Prompt.Length > 0
        ? new EncodedPrompt(document.Prompt, [.. tokenizer.Encode(document.Prompt, parseSpecialTokens: true)])
        : Beginning(document.Text, tokenizer, beginTokens);

    /// <summary>The first tokens of a text as a prompt.</summary>
    public static EncodedPrompt Beginning(string text, ITokenizer tokenizer, int tokens)
    {
        var added = tokenizer.Encode("").Count;
        var ids = tokenizer.Encode(text).Take(added + tokens).ToArray();
        return new EncodedPrompt(tokenizer.Decode(ids), ids);
    }
}

/// <summary>A prompt as text and as tokens.</summary>
internal sealed record EncodedPrompt(string Text, int[] Tokens);
