using System.Buffers;
using System.Text;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Chat;

/// <summary>
/// Keeps what users wrote from being read as special tokens once it stands between those that a chat template wrote: a sentinel
/// goes into each text of one before rendering, and its place is a boundary for
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
    private readonly SearchValues<string> _specialTexts;

    /// <summary>For text that this tokenizer encodes.</summary>
    public UserTextGuard(ITokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _special = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(tokenizer.GetToken).OfType<string>()
            .Where(token => token.Length > 0)];
        // A template may write what it is given in other letters.
        _specialTexts = SearchValues.Create(_special, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A sentinel that stands in none of the texts; null where every one does.</summary>
    public static char? FreeSentinel(IEnumerable<string> texts)
    {
        var taken = texts.SelectMany(text => text).Where(Sentinels.Contains).ToHashSet();
        for (var sentinel = Sentinels.First; sentinel <= Sentinels.Last; sentinel++)
            if (!taken.Contains(sentinel)) return sentinel;
        return null;
    }

    /// <summary>The text with a sentinel after the first character of each special token.</summary>
    public string Protect(string text, char sentinel)
    {
        var protectedText = InsertInSpecialTokens(text, sentinel);
        return _tokenizer.NormalizesSpecialTokens && GivesSpecialToken(protectedText, sentinel)
            ? InsertEverywhere(text, sentinel)
            : protectedText;
    }

    /// <summary>
    /// A role with sentinels around it where it is none that templates know and a template that puts it between brackets would make a
    /// special token of it.
    /// </summary>
    public string ProtectRole(string role, char sentinel) =>
        Roles.Contains(role) || !CompletesSpecialToken(role) ? role : $"{sentinel}{role}{sentinel}";

    private bool CompletesSpecialToken(string role) =>
        role.Any(character => !char.IsLetterOrDigit(character) && character is not ('_' or '-'))
        || _special.Any(token => role.Length > 0 && token.Contains(role, StringComparison.OrdinalIgnoreCase));

    private bool GivesSpecialToken(string protectedText, char sentinel)
    {
        var (text, boundaries) = TakeSentinels(protectedText, sentinel);
        return _tokenizer.Encode(text, addSpecialTokens: false, boundaries).Any(_tokenizer.IsSpecial);
    }

    private static string InsertEverywhere(string text, char sentinel)
    {
        var result = new StringBuilder(text.Length * 2);
        foreach (var rune in text.EnumerateRunes()) result.Append(rune.ToString()).Append(sentinel);
        return result.ToString();
    }

    private string InsertInSpecialTokens(string text, char sentinel)
    {
        var next = NextSpecialToken(text, 0);
        if (next < 0) return text;
        var result = new StringBuilder(text.Length + 8);
        var done = 0;
        for (; next >= 0; next = NextSpecialToken(text, next + 1))
        {
            result.Append(text, done, next + 1 - done).Append(sentinel);
            done = next + 1;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>Takes the sentinels out of a rendered text.</summary>
    /// <returns>The text, and where the sentinels stood inside it, ascending.</returns>
    public static (string Text, IReadOnlyList<int> Boundaries) TakeSentinels(string rendered, char sentinel)
    {
        var boundaries = new List<int>();
        var text = new StringBuilder(rendered.Length);
        foreach (var character in rendered)
        {
            if (character != sentinel) text.Append(character);
            else if (text.Length > 0 && (boundaries.Count == 0 || boundaries[^1] != text.Length)) boundaries.Add(text.Length);
        }
        if (boundaries.Count > 0 && boundaries[^1] == text.Length) boundaries.RemoveAt(boundaries.Count - 1);
        return (text.ToString(), boundaries);
    }

    private int NextSpecialToken(string text, int from)
    {
        var at = from < text.Length ? text.AsSpan(from).IndexOfAny(_specialTexts) : -1;
        return at < 0 ? -1 : from + at;
    }
}
