using System.Buffers;
using System.Text;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Chat;

/// <summary>
/// Keeps what users wrote from being read as special tokens once it stands between those that a chat template wrote: a mark
/// goes into each spelling of one before rendering, and its place is a cut for
/// <see cref="ITokenizer.Encode(string, bool, IReadOnlyList{int})"/> after it.
/// </summary>
public sealed class UserTextGuard
{
    /// <summary>Roles of which templates make special tokens: <c>'&lt;|' + role + '|&gt;'</c>.</summary>
    private static readonly HashSet<string> Roles = new(StringComparer.Ordinal)
    {
        "assistant", "developer", "function", "ipython", "model", "observation", "system", "tool", "user",
    };

    private readonly ITokenizer _tokenizer;
    private readonly string[] _special;
    private readonly SearchValues<string> _spellings;

    /// <summary>For text that this tokenizer encodes.</summary>
    public UserTextGuard(ITokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _special = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.GetToken).OfType<string>()
            .Where(spelling => spelling.Length > 0)];
        // A template may write what it is given in other letters.
        _spellings = SearchValues.Create(_special, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A mark that stands in none of the texts; null where every one does.</summary>
    public static char? FreeMark(IEnumerable<string> texts)
    {
        var taken = texts.SelectMany(text => text).Where(UserMark.IsMark).ToHashSet();
        for (var mark = UserMark.First; mark <= UserMark.Last; mark++)
            if (!taken.Contains(mark)) return mark;
        return null;
    }

    /// <summary>The text with a mark after the first character of each spelling of a special token.</summary>
    public string Protect(string text, char mark)
    {
        var marked = MarkSpellings(text, mark);
        return _tokenizer.NormalizesSpecialTokens && GivesSpecialToken(marked, mark)
            ? MarkEverywhere(text, mark)
            : marked;
    }

    /// <summary>
    /// A role with marks around it where it is none that templates know and a template that puts it between brackets would make a
    /// special token of it.
    /// </summary>
    public string ProtectRole(string role, char mark) =>
        Roles.Contains(role) || !CompletesSpecialToken(role) ? role : $"{mark}{role}{mark}";

    private bool CompletesSpecialToken(string role) =>
        role.Any(character => !char.IsLetterOrDigit(character) && character is not ('_' or '-'))
        || _special.Any(spelling => role.Length > 0 && spelling.Contains(role, StringComparison.OrdinalIgnoreCase));

    private bool GivesSpecialToken(string marked, char mark)
    {
        var (text, cuts) = TakeMarks(marked, mark);
        return _tokenizer.Encode(text, addSpecialTokens: false, cuts).Any(_tokenizer.IsSpecial);
    }

    private static string MarkEverywhere(string text, char mark)
    {
        var result = new StringBuilder(text.Length * 2);
        foreach (var rune in text.EnumerateRunes()) result.Append(rune.ToString()).Append(mark);
        return result.ToString();
    }

    private string MarkSpellings(string text, char mark)
    {
        var next = NextSpelling(text, 0);
        if (next < 0) return text;
        var result = new StringBuilder(text.Length + 8);
        var done = 0;
        for (; next >= 0; next = NextSpelling(text, next + 1))
        {
            result.Append(text, done, next + 1 - done).Append(mark);
            done = next + 1;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>Takes the marks out of a rendered text.</summary>
    /// <returns>The text, and where the marks stood inside it, ascending.</returns>
    public static (string Text, IReadOnlyList<int> Cuts) TakeMarks(string rendered, char mark)
    {
        var cuts = new List<int>();
        var text = new StringBuilder(rendered.Length);
        foreach (var character in rendered)
        {
            if (character != mark) text.Append(character);
            else if (text.Length > 0 && (cuts.Count == 0 || cuts[^1] != text.Length)) cuts.Add(text.Length);
        }
        if (cuts.Count > 0 && cuts[^1] == text.Length) cuts.RemoveAt(cuts.Count - 1);
        return (text.ToString(), cuts);
    }

    private int NextSpelling(string text, int from)
    {
        var at = from < text.Length ? text.AsSpan(from).IndexOfAny(_spellings) : -1;
        return at < 0 ? -1 : from + at;
    }
}
