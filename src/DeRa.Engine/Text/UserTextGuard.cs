using System.Buffers;
using System.Text;
using DeRa.Engine.Text.Templates;

namespace DeRa.Engine.Text;

/// <summary>
/// Keeps what users wrote from being read as special tokens once it stands between those that a chat template wrote: a mark
/// goes into each spelling of one before rendering, and its place is a cut for
/// <see cref="ITokenizer.Encode(string, bool, IReadOnlyList{int})"/> after it.
/// </summary>
internal sealed class UserTextGuard
{
    private readonly SearchValues<string> _spellings;

    public UserTextGuard(ITokenizer tokenizer) => _spellings = SearchValues.Create(
        [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.GetToken).Where(s => s?.Length > 0)!],
        StringComparison.Ordinal);

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
