using System.Text;
using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>
/// Gives stories one form: no mojibake, quotation marks, dashes and spaces in ASCII, and a line end between paragraphs.
/// </summary>
internal static partial class StoryCleaning
{
    /// <summary>The story in that form. Characters that have no ASCII form stay.</summary>
    public static string Clean(string story)
    {
        var text = WithPlainPunctuation(Mojibake.Undo(story.ReplaceLineEndings("\n")));
        text = text.Replace(DocumentFile.Separator, "\n", StringComparison.Ordinal);
        text = Dash().Replace(text, " - ");
        text = Spaces().Replace(text, " ");
        text = SpaceBeforeStop().Replace(text, "$1");
        text = EllipsisBeforeWord().Replace(text, "... ");
        text = LineEnds().Replace(text, "\n").Trim();
        return string.Join('\n', text.Split('\n').Select(WithoutSpaceInQuotations));
    }

    private static string WithPlainPunctuation(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text) result.Append(Plain(character));
        return result.ToString();
    }

    private static string Plain(char character) => character switch
    {
        '“' or '”' or '„' or '‟' or '«' or '»' or '″' => "\"",
        '’' or '‘' or '‚' or '‛' or '′' or '´' or '`' => "'",
        '–' or '—' or '―' or '‒' => " - ",
        '‐' or '‑' => "-",
        '…' => "...",
        '\t' or '\u00A0' or '\u2009' or '\u202F' => " ",
        '\u200B' or '\uFEFF' or '\u00AD' => "",
        _ => character.ToString(),
    };

    /// <summary>Takes spaces out that follow an opening quotation mark or precede a closing one.</summary>
    private static string WithoutSpaceInQuotations(string paragraph)
    {
        var parts = paragraph.Split('"');
        // Where marks are missing, nobody knows which of them open.
        if (parts.Length % 2 == 0) return paragraph;
        for (var quoted = 1; quoted < parts.Length; quoted += 2) parts[quoted] = parts[quoted].Trim();
        return string.Join('"', parts);
    }

    [GeneratedRegex(@" *--+ *")]
    private static partial Regex Dash();

    [GeneratedRegex(@" {2,}")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"(?<=\S) ([.,!?;:])")]
    private static partial Regex SpaceBeforeStop();

    [GeneratedRegex(@"\.\.\.(?=\p{L})")]
    private static partial Regex EllipsisBeforeWord();

    [GeneratedRegex(@" *\n[ \n]*")]
    private static partial Regex LineEnds();
}
