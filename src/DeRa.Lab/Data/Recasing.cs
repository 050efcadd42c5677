using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>Restores the capitals of lower-case text, after the form of the same words in cased texts.</summary>
internal sealed partial class Recasing
{
    private readonly Dictionary<string, string> _forms;

    /// <summary>Learns the most frequent form of each word where it does not begin a sentence.</summary>
    public Recasing(IEnumerable<string> texts)
    {
        _forms = texts.SelectMany(WordsWithinSentences)
            .GroupBy(word => word.ToLowerInvariant(), StringComparer.Ordinal)
            .ToDictionary(
                word => word.Key,
                word => word.GroupBy(form => form).MaxBy(form => form.Count())!.Key,
                StringComparer.Ordinal);
    }

    /// <summary>Applies the learned spellings, and capitals where sentences and quotations begin.</summary>
    public string Apply(string text)
    {
        var result = new StringBuilder(text.Length);
        var end = 0;
        foreach (Match word in Word().Matches(text))
        {
            result.Append(text, end, word.Index - end);
            var form = _forms.GetValueOrDefault(word.Value, word.Value);
            result.Append(BeginsSentence(text, word.Index) ? Capital(form) : form);
            end = word.Index + word.Length;
        }
        return result.Append(text, end, text.Length - end).ToString();
    }

    private static IEnumerable<string> WordsWithinSentences(string text) =>
        Word().Matches(text).Where(word => !BeginsSentence(text, word.Index)).Select(word => word.Value);

    /// <summary>
    /// Whether the end of a sentence or line, or the beginning of a quotation, comes before; a quotation may follow a comma.
    /// </summary>
    private static bool BeginsSentence(string text, int index)
    {
        var at = index - 1;
        var quoted = at >= 0 && text[at] == '"' && (at == 0 || char.IsWhiteSpace(text[at - 1]));
        if (quoted) return true;
        while (at >= 0 && (text[at] == ' ' || text[at] == '"')) at--;
        return at < 0 || text[at] is '.' or '!' or '?' or '\n';
    }

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    [GeneratedRegex(@"\p{L}+(?:'\p{L}+)?")]
    private static partial Regex Word();
}
