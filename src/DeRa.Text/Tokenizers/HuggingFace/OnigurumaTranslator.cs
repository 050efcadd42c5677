using System.Globalization;
using System.Text;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Translates a regular expression from Oniguruma (Ruby syntax, Unicode), which Hugging Face's tokenizers use, to .NET's.
/// Takes only constructs whose meaning is the same there or can be made the same, and refuses the others by name.
/// Characters beyond U+FFFF reach the result as <see cref="AstralPlaceholders"/>.
/// </summary>
internal sealed class OnigurumaTranslator
{
    /// <summary>The general categories by name, but for the surrogates, which are no characters.</summary>
    private static readonly Dictionary<string, UnicodeCategory> Categories = new()
    {
        ["Lu"] = UnicodeCategory.UppercaseLetter,
        ["Ll"] = UnicodeCategory.LowercaseLetter,
        ["Lt"] = UnicodeCategory.TitlecaseLetter,
        ["Lm"] = UnicodeCategory.ModifierLetter,
        ["Lo"] = UnicodeCategory.OtherLetter,
        ["Mn"] = UnicodeCategory.NonSpacingMark,
        ["Mc"] = UnicodeCategory.SpacingCombiningMark,
        ["Me"] = UnicodeCategory.EnclosingMark,
        ["Nd"] = UnicodeCategory.DecimalDigitNumber,
        ["Nl"] = UnicodeCategory.LetterNumber,
        ["No"] = UnicodeCategory.OtherNumber,
        ["Pc"] = UnicodeCategory.ConnectorPunctuation,
        ["Pd"] = UnicodeCategory.DashPunctuation,
        ["Ps"] = UnicodeCategory.OpenPunctuation,
        ["Pe"] = UnicodeCategory.ClosePunctuation,
        ["Pi"] = UnicodeCategory.InitialQuotePunctuation,
        ["Pf"] = UnicodeCategory.FinalQuotePunctuation,
        ["Po"] = UnicodeCategory.OtherPunctuation,
        ["Sm"] = UnicodeCategory.MathSymbol,
        ["Sc"] = UnicodeCategory.CurrencySymbol,
        ["Sk"] = UnicodeCategory.ModifierSymbol,
        ["So"] = UnicodeCategory.OtherSymbol,
        ["Zs"] = UnicodeCategory.SpaceSeparator,
        ["Zl"] = UnicodeCategory.LineSeparator,
        ["Zp"] = UnicodeCategory.ParagraphSeparator,
        ["Cc"] = UnicodeCategory.Control,
        ["Cf"] = UnicodeCategory.Format,
        ["Co"] = UnicodeCategory.PrivateUse,
        ["Cn"] = UnicodeCategory.OtherNotAssigned,
    };

    private static readonly string[] GroupOpenings = ["(?i:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"];

    /// <summary>
    /// White space at the ends of lines. Tried as it stands it takes time quadratic in a long run of spaces; it can only match
    /// from the beginning of such a run, which the look-behind says.
    /// </summary>
    private const string TrailingSpace = @"\s+$", LinearTrailingSpace = @"(?<!\s)\s+(?=\n|\z)";

    private readonly string _pattern;
    private readonly Func<string, TokenizerException> _complain;
    private readonly AstralPlaceholders _placeholders;
    private readonly List<(int First, int Last)> _named = [];
    private readonly StringBuilder _result = new();
    private readonly Stack<(int Start, bool OuterIgnoresCase)> _groups = new();
    private int _at;
    private int _atomStart;
    private bool _ignoresCase;

    private OnigurumaTranslator(string pattern, Func<string, TokenizerException> complain, AstralPlaceholders placeholders) =>
        (_pattern, _complain, _placeholders) = (pattern, complain, placeholders);

    /// <summary>Translates a whole pattern, for text in which the placeholders stand for what lies beyond U+FFFF.</summary>
    public static (string Pattern, AstralPlaceholders Placeholders) Translate(string pattern, Func<string, TokenizerException> complain)
    {
        // The placeholders depend on the ranges that the pattern names, which the first reading finds.
        var survey = new OnigurumaTranslator(pattern, complain, new AstralPlaceholders([]));
        var translated = survey.TranslateAll();
        if (survey._named.Count == 0) return (translated, survey._placeholders);
        var placeholders = new AstralPlaceholders(survey._named);
        if (placeholders.AreTooMany) throw complain("so many ranges beyond U+FFFF are not implemented");
        return (new OnigurumaTranslator(pattern, complain, placeholders).TranslateAll(), placeholders);
    }

    private string TranslateAll()
    {
        if (_pattern == TrailingSpace) return LinearTrailingSpace;
        while (_at < _pattern.Length) TranslateNext();
        return _groups.Count == 0 ? _result.ToString() : throw _complain("a group is not closed");
    }

    private void TranslateNext()
    {
        switch (_pattern[_at])
        {
            case '|': Copy(1); break;
            case '(': OpenGroup(); break;
            case ')': CloseGroup(); break;
            case '*' or '+' or '?' or '{': TranslateQuantifier(); break;
            case '^' or '$': throw _complain($"the anchor {_pattern[_at]} is not implemented");
            case '[': BeginAtom(); TranslateClass(); break;
            case '.': BeginAtom(); Copy(1); break;
            case '\\': BeginAtom(); TranslateEscape(inClass: false); break;
            default: BeginAtom(); EmitLiteral(TakeLiteral()); break;
        }
    }

    private void BeginAtom() => _atomStart = _result.Length;

    private void Copy(int length)
    {
        _result.Append(_pattern, _at, length);
        _at += length;
    }

    private bool Follows(string text) => string.CompareOrdinal(_pattern, _at, text, 0, text.Length) == 0;

    private void OpenGroup()
    {
        var opening = GroupOpenings.FirstOrDefault(Follows);
        if (opening is null && Follows("(?")) throw _complain("this kind of group (?… is not implemented");
        _groups.Push((_result.Length, _ignoresCase));
        _ignoresCase |= opening == "(?i:";
        // Case is ignored by spelling out both cases: .NET's idea of which letters are equal is not Oniguruma's.
        _result.Append(opening is null or "(?i:" ? "(?:" : opening);
        _at += opening?.Length ?? 1;
    }

    private void CloseGroup()
    {
        if (!_groups.TryPop(out var group)) throw _complain("a ) closes nothing");
        (_atomStart, _ignoresCase) = group;
        Copy(1);
    }

    private void TranslateQuantifier()
    {
        if (_atomStart == _result.Length) throw _complain("a quantifier follows nothing");
        var counted = _pattern[_at] == '{';
        Copy(counted ? CountLength() : 1);
        var suffix = _at < _pattern.Length ? _pattern[_at] : ' ';
        if (counted && suffix is ('+' or '?')) throw _complain($"a {suffix} after {{…}} is not implemented");
        if (suffix == '?') Copy(1);
        if (suffix != '+') return;
        // .NET has no possessive quantifier; an atomic group is the same.
        _result.Insert(_atomStart, "(?>").Append(')');
        _at++;
    }

    private int CountLength()
    {
        var end = _pattern.IndexOf('}', _at);
        var parts = end < 0 ? [] : _pattern[(_at + 1)..end].Split(',');
        var valid = parts.Length is 1 or 2 && parts[0].Length > 0 && parts.All(part => part.All(char.IsAsciiDigit));
        return valid ? end + 1 - _at : throw _complain("{ begins no repetition count; write \\{ for the character");
    }

    private void TranslateClass()
    {
        Copy(1);
        if (Follows("^")) Copy(1);
        var isEmpty = true;
        for (; _at < _pattern.Length && _pattern[_at] != ']'; isEmpty = false) TranslateClassItem();
        if (_at == _pattern.Length) throw _complain("a [ is not closed");
        if (isEmpty) throw _complain("a [] is empty");
        Copy(1);
    }

    private void TranslateClassItem()
    {
        if (_pattern[_at] == '[') throw _complain("a class within a class is not implemented; write \\[ for the character");
        if (Follows("&&")) throw _complain("&& in a class is not implemented");
        if (_pattern[_at] == '\\' && !IsCharacterEscape())
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

    private void EmitRange(int first, int last)
    {
        if (last < first) throw _complain($"the range {Show(first)}-{Show(last)} is empty");
        if (_ignoresCase && (first != last || Rune.IsLetter(new Rune(first))))
            throw _complain("letters or ranges in a class within (?i: are not implemented");
        EmitUnits(first, Math.Min(last, 0xD7FF));
        EmitUnits(Math.Max(first, 0xE000), Math.Min(last, 0xFFFF));
        if (last <= 0xFFFF) return;
        first = Math.Max(first, 0x10000);
        _named.Add((first, last));
        var placeholders = _placeholders.OfRange(first, last);
        EmitUnits(placeholders.First, placeholders.Last);
    }

    private void EmitUnits(int first, int last)
    {
        if (last < first) return;
        Emit((char)first);
        if (first == last) return;
        _result.Append('-');
        Emit((char)last);
    }

    private static string Show(int character) => character < ' ' ? $"U+{character:X4}" : new Rune(character).ToString();

    private bool IsCharacterEscape() =>
        _at + 1 == _pattern.Length || _pattern[_at + 1] is not ('s' or 'S' or 'd' or 'D' or 'p' or 'P');

    private void TranslateEscape(bool inClass)
    {
        if (IsCharacterEscape() && !inClass) EmitLiteral(TakeLiteral());
        else if (_pattern[_at + 1] is 's' or 'S') Copy(2);
        else TranslateCategory(inClass);
    }

    private void TranslateCategory(bool inClass)
    {
        var negated = _pattern[_at + 1] is 'P' or 'D';
        var name = TakeCategory();
        var members = Categories.Keys.Where(category => category.StartsWith(name, StringComparison.Ordinal)).ToList();
        if (name.Length is 0 or > 2 || members.Count == 0) throw _complain($"the property {{{name}}} is not implemented");
        if (_ignoresCase && name is "Lu" or "Ll" or "Lt") throw _complain($"\\p{{{name}}} within (?i: is not implemented");
        if (inClass && negated) members = [.. Categories.Keys.Except(members)];
        if (!inClass) _result.Append(negated ? "[^" : "[");
        foreach (var member in members)
        {
            _result.Append("\\p{").Append(member).Append('}');
            foreach (var placeholder in _placeholders.OfCategory(Categories[member])) Emit(placeholder);
        }
        if (!inClass) _result.Append(']');
    }

    private string TakeCategory()
    {
        var escaped = _pattern[_at + 1];
        _at += 2;
        if (escaped is 'd' or 'D') return "Nd";
        if (!Follows("{")) throw _complain("\\p needs a category in braces");
        var end = _pattern.IndexOf('}', _at);
        var name = end < 0 ? "" : _pattern[(_at + 1)..end];
        _at = end + 1;
        return name;
    }

    /// <summary>Takes one character, written plainly or escaped.</summary>
    private int TakeLiteral()
    {
        if (!Rune.TryGetRuneAt(_pattern, _at, out var plain)) throw _complain("half a surrogate pair is no character");
        _at += plain.Utf16SequenceLength;
        if (plain.Value != '\\') return plain.Value;
        if (_at == _pattern.Length) throw _complain("it ends in a backslash");
        var escaped = _pattern[_at++];
        return escaped switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'u' => TakeHexadecimal(_at, _at + 4, _at + 4),
            'x' when Follows("{") => TakeHexadecimal(_at + 1, _pattern.IndexOf('}', _at), _pattern.IndexOf('}', _at) + 1),
            _ when char.IsAsciiLetterOrDigit(escaped) || char.IsSurrogate(escaped) =>
                throw _complain($"\\{escaped} is not implemented"),
            _ => escaped,
        };
    }

    private int TakeHexadecimal(int start, int end, int next)
    {
        if (end < start || end > _pattern.Length
            || !int.TryParse(_pattern[start..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || !Rune.IsValid(value))
            throw _complain("a \\u or \\x names no character");
        _at = next;
        return value;
    }

    private void EmitLiteral(int character)
    {
        if (_ignoresCase && Rune.IsLetter(new Rune(character)))
        {
            if (!char.IsAscii((char)character) || character > 0xFFFF)
                throw _complain($"the letter {Show(character)} within (?i: is not implemented");
            var letter = (char)character;
            _result.Append('[').Append(char.ToLowerInvariant(letter)).Append(char.ToUpperInvariant(letter))
                .Append(FoldedTo(letter)).Append(']');
        }
        else if (character <= 0xFFFF)
        {
            Emit((char)character);
        }
        else
        {
            _result.Append('[');
            EmitRange(character, character);
            _result.Append(']');
        }
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
