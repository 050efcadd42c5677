using DeRa.Serving.Rewards;

namespace DeRa.Lab.Evaluation;

/// <summary>The words that a completion wrote, whole.</summary>
internal static class WholeWords
{
    /// <summary>
    /// Its words with the beginning of the first one, where that is the prompt's end, and without a last word that the limit cut.
    /// </summary>
    public static IReadOnlyList<string> Of(Completion completion)
    {
        var (text, end) = (completion.Text, completion.Text.Length);
        if (!completion.Finished)
            while (end > 0 && IsOfWord(text[end - 1])) end--;
        return end == 0 ? [] : TextWords.Of(completion.Prompt[Begin(completion)..] + text[..end]);
    }

    /// <summary>Where in the prompt the first of these words begins; the prompt's length where it begins behind it.</summary>
    public static int Begin(Completion completion)
    {
        var (prompt, begin) = (completion.Prompt, completion.Prompt.Length);
        if (completion.Text.Length > 0 && IsOfWord(completion.Text[0]))
            while (begin > 0 && IsOfWord(prompt[begin - 1])) begin--;
        return begin;
    }

    private static bool IsOfWord(char character) => char.IsLetter(character) || character is '\'' or '’';
}
