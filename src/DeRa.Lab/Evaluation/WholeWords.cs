using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>What a completion wrote, in whole words.</summary>
internal static class WholeWords
{
    /// <summary>The words of <see cref="TextOf"/>.</summary>
    public static IReadOnlyList<string> Of(Completion completion) => TextWords.Of(TextOf(completion).Text);

    /// <summary>
    /// The text with the beginning of its first word, where that is the prompt's end, and without a last word that the limit cut.
    /// </summary>
    /// <returns>The text, and how many characters at its beginning are the prompt's.</returns>
    public static (string Text, int FromPrompt) TextOf(Completion completion)
    {
        var (prompt, text) = (completion.Prompt, completion.Text);
        var begin = prompt.Length;
        if (text.Length > 0 && IsOfWord(text[0]))
            while (begin > 0 && IsOfWord(prompt[begin - 1])) begin--;
        var end = text.Length;
        if (!completion.Finished)
            while (end > 0 && IsOfWord(text[end - 1])) end--;
        return end == 0 ? ("", 0) : (prompt[begin..] + text[..end], prompt.Length - begin);
    }

    private static bool IsOfWord(char character) => char.IsLetter(character) || character is '\'' or '’';
}
