using System.Text;

namespace DeRa.Lab.Evaluation;

/// <summary>Texts from two sources in random order, so that they are judged before it is known which is whose.</summary>
/// <param name="first">Texts of the first source.</param>
/// <param name="second">Texts of the second.</param>
/// <param name="seed">Of the order.</param>
internal sealed class ShuffledSamples(IReadOnlyList<string> first, IReadOnlyList<string> second, long seed)
{
    /// <summary>The texts as numbered quotations, each line of a text a paragraph, then the numbers of each source.</summary>
    public string ToMarkdown()
    {
        var order = Enumerable.Range(0, first.Count + second.Count).ToArray();
        new Random(unchecked((int)seed)).Shuffle(order);
        var markdown = new StringBuilder();
        foreach (var (place, sample) in order.Index())
        {
            var text = sample < first.Count ? first[sample] : second[sample - first.Count];
            markdown.Append(place + 1).Append(".\n\n");
            var paragraphs = text.ReplaceLineEndings("\n")
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            markdown.AppendJoin("\n>\n", paragraphs.Select(paragraph => "> " + Escape(paragraph))).Append("\n\n");
        }
        return $"{markdown}Key: the first pair wrote {Numbers(isFirst: true)}; the second {Numbers(isFirst: false)}.\n";

        string Numbers(bool isFirst) =>
            string.Join(", ", order.Index().Where(entry => entry.Item < first.Count == isFirst).Select(entry => entry.Index + 1));
    }

    /// <summary>Markdown shows what was written: its signs lose their meaning.</summary>
    private static string Escape(string paragraph)
    {
        var escaped = new StringBuilder();
        foreach (var character in paragraph)
        {
            if (character is '\\' or '`' or '*' or '_' or '<' or '>' or '#' or '[' or ']' or '|' or '~' or '&') escaped.Append('\\');
            escaped.Append(character);
        }
        return escaped.ToString();
    }
}
