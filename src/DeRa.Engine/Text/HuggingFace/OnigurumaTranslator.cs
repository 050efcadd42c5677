using System.Globalization;
using System.Text;

namespace DeRa.Engine.Text.HuggingFace;

/// <summary>
/// Translates a regular expression from Oniguruma (Ruby syntax, Unicode), which Hugging Face's tokenizers use, to .NET's.
/// Takes only constructs whose meaning is the same there or can be made the same, and refuses the others by name.
/// Characters beyond U+FFFF reach the result as <see cref="AstralPlaceholder"/>s.
/// </summary>
internal sealed class OnigurumaTranslator(string pattern, Func<string, TokenizerException> complain)
{
    private static readonly HashSet<string> Categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No",
        "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp",
        "C", "Cc", "Cf", "Co", "Cn",
    ];

    private static readonly string[] GroupOpenings = ["(?i:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"];

    private readonly StringBuilder _result = new();
    private readonly Stack<(int Start, bool OuterIgnoresCase)> _groups = new();
    private int _at;
    private int _atomStart;
    private bool _ignoresCase;

    /// <summary>Translates the whole pattern.</summary>
    public string Translate()
    {
        while (_at < pattern.Length) TranslateNext();
        return _groups.Count == 0 ? _result.ToString() : throw complain("a group is not closed");
    }

    private void TranslateNext()
    {
        switch (pattern[_at])
        {
            case '|': Copy(1); break;
            case '(': OpenGroup(); break;
            case ')': CloseGroup(); break;
            case '*' or '+' or '?' or '{': TranslateQuantifier(); break;
            case '^' or '$': throw complain($"the anchor {pattern[_at]} is not implemented");
            case '[': BeginAtom(); TranslateClass(); break;
            case '.': BeginAtom(); Copy(1); break;
            case '\\': BeginAtom(); TranslateEscape(inClass: false); break;
            default: BeginAtom(); EmitLiteral(TakeLiteral()); break;
        }
    }

    private void BeginAtom() => _atomStart = _result.Length;

    private void Copy(int length)
    {
        _result.Append(pattern, _at, length);
        _at += length;
    }

    private bool Follows(string text) => string.CompareOrdinal(pattern, _at, text, 0, text.Length) == 0;

    private void OpenGroup()
    {
        var opening = GroupOpenings.FirstOrDefault(Follows);
        if (opening is null && Follows("(?")) throw complain("this kind of group (?… is not implemented");
        _groups.Push((_result.Length, _ignoresCase));
        _ignoresCase |= opening == "(?i:";
        // Case is ignored by spelling out both cases: .NET's idea of which letters are equal is not Oniguruma's.
        _result.Append(opening is null or "(?i:" ? "(?:" : opening);
        _at += opening?.Length ?? 1;
    }

    private void CloseGroup()
    {
        if (!_groups.TryPop(out var group)) throw complain("a ) closes nothing");
        (_atomStart, _ignoresCase) = group;
        Copy(1);
    }

    private void TranslateQuantifier()
    {
        if (_atomStart == _result.Length) throw complain("a quantifier follows nothing");
        var counted = pattern[_at] == '{';
        Copy(counted ? CountLength() : 1);
        var suffix = _at < pattern.Length ? pattern[_at] : ' ';
        if (counted && suffix is ('+' or '?')) throw complain($"a {suffix} after {{…}} is not implemented");
        if (suffix == '?') Copy(1);
        if (suffix != '+') return;
        // .NET has no possessive quantifier; an atomic group is the same.
        _result.Insert(_atomStart, "(?>").Append(')');
        _at++;
    }

    private int CountLength()
    {
        var end = pattern.IndexOf('}', _at);
        var parts = end < 0 ? [] : pattern[(_at + 1)..end].Split(',');
        var valid = parts.Length is 1 or 2 && parts[0].Length > 0 && parts.All(part => part.All(char.IsAsciiDigit));
        return valid ? end + 1 - _at : throw complain("{ begins no repetition count; write \\{ for the character");
    }

    private void TranslateClass()
    {
        Copy(1);
        if (Follows("^")) Copy(1);
        var isEmpty = true;
        for (; _at < pattern.Length && pattern[_at] != ']'; isEmpty = false) TranslateClassItem();
        if (_at == pattern.Length) throw complain("a [ is not closed");
        if (isEmpty) throw complain("a [] is empty");
        Copy(1);
    }

    private void TranslateClassItem()
    {
        if (pattern[_at] == '[') throw complain("a class within a class is not implemented; write \\[ for the character");
        if (Follows("&&")) throw complain("&& in a class is not implemented");
        if (pattern[_at] == '\\' && !IsCharacterEscape())
        {
            TranslateEscape(inClass: true);
            return;
        }
        var first = TakeLiteral();
        var last = first;
        if (Follows("-") && !Follows("-]"))
        {
            _at++;
            last = TakeLiteral();
        }
        EmitRange(first, last);
    }

    private void EmitRange(char first, char last)
    {
        if (last < first) throw complain($"the range {first}-{last} is empty");
        if (AstralPlaceholder.Any(first, last)) throw complain($"the range {first}-{last} is not implemented");
        if (_ignoresCase && (first != last || char.IsLetter(first)))
            throw complain("letters or ranges in a class within (?i: are not implemented");
        Emit(first);
        if (first == last) return;
        _result.Append('-');
        Emit(last);
    }

    private bool IsCharacterEscape() =>
        _at + 1 == pattern.Length || pattern[_at + 1] is not ('s' or 'S' or 'd' or 'D' or 'p' or 'P');

    private void TranslateEscape(bool inClass)
    {
        if (IsCharacterEscape() && !inClass) EmitLiteral(TakeLiteral());
        else if (Follows("\\p{") || Follows("\\P{")) TranslateCategory();
        else if (pattern[_at + 1] is not ('p' or 'P')) Copy(2);
        else throw complain("\\p needs a category in braces");
    }

    private void TranslateCategory()
    {
        var end = pattern.IndexOf('}', _at);
        var name = end < 0 ? "" : pattern[(_at + 3)..end];
        if (!Categories.Contains(name)) throw complain($"the property {{{name}}} is not implemented");
        if (_ignoresCase && name is ("Lu" or "Ll" or "Lt")) throw complain($"\\p{{{name}}} within (?i: is not implemented");
        Copy(end + 1 - _at);
    }

    /// <summary>Takes one character, written plainly or escaped.</summary>
    private char TakeLiteral()
    {
        var c = pattern[_at++];
        if (char.IsSurrogate(c)) throw complain("characters beyond U+FFFF are not implemented");
        if (c != '\\') return c;
        if (_at == pattern.Length) throw complain("it ends in a backslash");
        var escaped = pattern[_at++];
        return escaped switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'u' => TakeHexadecimal(_at, _at + 4, _at + 4),
            'x' when Follows("{") => TakeHexadecimal(_at + 1, pattern.IndexOf('}', _at), pattern.IndexOf('}', _at) + 1),
            _ when char.IsAsciiLetterOrDigit(escaped) => throw complain($"\\{escaped} is not implemented"),
            _ => escaped,
        };
    }

    private char TakeHexadecimal(int start, int end, int next)
    {
        if (end < start || end > pattern.Length
            || !ushort.TryParse(pattern[start..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || char.IsSurrogate((char)value))
            throw complain("a \\u or \\x names no character up to U+FFFF");
        _at = next;
        return (char)value;
    }

    private void EmitLiteral(char c)
    {
        if (AstralPlaceholder.Any(c, c)) throw complain($"the character {c} is not implemented");
        if (!_ignoresCase || !char.IsLetter(c))
        {
            Emit(c);
            return;
        }
        if (!char.IsAsciiLetter(c)) throw complain($"the letter {c} within (?i: is not implemented");
        _result.Append('[').Append(char.ToLowerInvariant(c)).Append(char.ToUpperInvariant(c)).Append(FoldedTo(c)).Append(']');
    }

    /// <summary>The one letter outside ASCII that Unicode's case folding makes equal to s or k.</summary>
    private static string FoldedTo(char letter) => char.ToLowerInvariant(letter) switch
    {
        's' => "\\u017F",
        'k' => "\\u212A",
        _ => "",
    };

    private void Emit(char c)
    {
        if (char.IsAsciiLetterOrDigit(c)) _result.Append(c);
        else _result.Append("\\u").Append(((int)c).ToString("X4", CultureInfo.InvariantCulture));
    }
}
