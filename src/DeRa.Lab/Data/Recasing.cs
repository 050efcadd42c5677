using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>Restores the capitals of lower-case text, after the form of the same words in cased texts.</summary>
internal sealed partial class Recasing
{
    private readonly Dictionary<string, string> _forms;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Learns the most frequent form of each word where it does not begin a sentence.</summary>
    public Recasing(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
            foreach (Match word in Word().Matches(text))
            {
                _known.Add(Owner(word.Value.ToLowerInvariant()));
                if (!BeginsSentence(text, word.Index)) counts[word.Value] = counts.GetValueOrDefault(word.Value) + 1;
            }
        _forms = counts.GroupBy(form => form.Key.ToLowerInvariant(), StringComparer.Ordinal)
            .ToDictionary(word => word.Key, word => word.MaxBy(form => form.Value).Key, StringComparer.Ordinal);
    }

    /// <summary>
    /// Whether the learned texts have every word that a lower-case text has twice, in whatever form, or the text says itself that it is
    /// a name. Others may be names: who acts in a story is named more than once.
    /// </summary>
    public bool KnowsWordsOf(string text)
    {
        var names = Names(text);
        return Word().Matches(text).Select(word => Owner(word.Value)).Where(word => !_known.Contains(word) && !names.Contains(word))
            .CountBy(word => word).All(word => word.Value == 1);
    }

    /// <summary>
    /// Applies the learned forms, and capitals to what the text says are names ("a dog named spot"), and where sentences and
    /// quotations begin.
    /// </summary>
    public string Apply(string text)
    {
        var names = Names(text);
        var result = new StringBuilder(text.Length);
        var end = 0;
        foreach (Match word in Word().Matches(text))
        {
            result.Append(text, end, word.Index - end);
            var form = _forms.GetValueOrDefault(word.Value, word.Value);
            result.Append(BeginsSentence(text, word.Index) || names.Contains(Owner(word.Value)) ? Capital(form) : form);
            end = word.Index + word.Length;
        }
        return result.Append(text, end, text.Length - end).ToString();
    }

    private static HashSet<string> Names(string text) => [.. Named().Matches(text).Select(match => match.Groups[1].Value)];

    private static string Owner(string word) => word.EndsWith("'s", StringComparison.Ordinal) ? word[..^2] : word;

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

    [GeneratedRegex(@"\bnamed (?!after|it|him|her|the|a|an|his)(\p{L}+)")]
    private static partial Regex Named();
}
