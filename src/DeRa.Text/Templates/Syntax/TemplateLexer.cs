using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>
/// Splits a template into tokens, with the white-space rules that Hugging Face sets: <c>trim_blocks</c> (the line end after a
/// block goes) and <c>lstrip_blocks</c> (blanks before a block that begins a line go). Source: jinja2/lexer.py.
/// </summary>
internal sealed class TemplateLexer
{
    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private readonly ExpressionLexer _expressions;
    private int _at;

    private TemplateLexer(string source) => (_source, _expressions) = (source, new ExpressionLexer(source, _tokens));

    /// <exception cref="ChatTemplateException">A tag, comment or string does not end, or a character begins no token.</exception>
    public static List<TemplateToken> Read(string source)
    {
        source = source.ReplaceLineEndings("\n");
        var lexer = new TemplateLexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.Read();
        return lexer._tokens;
    }

    private void Read()
    {
        while (NextTag() is var tag && tag < _source.Length)
        {
            AddData(tag);
            switch (_source[tag + 1])
            {
                case '#': SkipComment(tag); break;
                case '%': ReadBlock(tag); break;
                default: ReadVariable(tag); break;
            }
        }
        if (_at < _source.Length) Add(TokenKind.Data, _source[_at..], _at);
        Add(TokenKind.End, "", _source.Length);
    }

    private int NextTag()
    {
        for (var at = _source.IndexOf('{', _at); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
            if (_source[at + 1] is '{' or '%' or '#') return at;
        return _source.Length;
    }

    private void AddData(int tag)
    {
        var end = tag;
        var sign = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
        if (sign == '-')
            while (end > _at && char.IsWhiteSpace(_source[end - 1])) end--;
        else if (sign != '+' && _source[tag + 1] != '{')
            end = WithoutIndent(tag);
        if (end > _at) Add(TokenKind.Data, _source[_at..end], _at);
    }

    private int WithoutIndent(int tag)
    {
        var end = tag;
        while (end > _at && _source[end - 1] != '\n' && char.IsWhiteSpace(_source[end - 1])) end--;
        return end == 0 || _source[end - 1] == '\n' ? end : tag;
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", tag + 2, StringComparison.Ordinal);
        if (end < 0) throw Error("the comment that begins here does not end", tag);
        _at = end + 2;
        AfterTag(end > tag + 2 ? _source[end - 1] : ' ');
    }

    private void ReadBlock(int tag)
    {
        if (RawBegin(tag) is { } content)
        {
            ReadRaw(tag, content);
            return;
        }
        Add(TokenKind.BlockBegin, "{%", tag);
        var end = _expressions.Read(AfterSign(tag), "%}");
        Add(TokenKind.BlockEnd, "%}", end);
        AfterTag(End(end));
    }

    private void ReadVariable(int tag)
    {
        Add(TokenKind.VariableBegin, "{{", tag);
        var end = _expressions.Read(AfterSign(tag), "}}");
        Add(TokenKind.VariableEnd, "}}", end);
        if (End(end) == '-') SkipSpace();
    }

    /// <summary>Goes past an end such as <c>-%}</c> and returns its sign.</summary>
    private char End(int end)
    {
        var sign = _source[end] is '-' or '+' ? _source[end] : ' ';
        _at = end + (sign == ' ' ? 2 : 3);
        return sign;
    }

    private void AfterTag(char sign)
    {
        if (sign == '-') SkipSpace();
        else if (sign != '+' && _at < _source.Length && _source[_at] == '\n') _at++;
    }

    /// <summary>Where the content of a raw block begins, or null where the tag is another.</summary>
    private int? RawBegin(int tag) => TagEnd(tag, "raw", out var sign) is not { } end || sign == '+' ? null
        : sign == '-' ? AfterSpace(end) : end;

    private void ReadRaw(int tag, int content)
    {
        for (var at = _source.IndexOf("{%", content, StringComparison.Ordinal); at >= 0;
             at = _source.IndexOf("{%", at + 1, StringComparison.Ordinal))
        {
            if (TagEnd(at, "endraw", out var sign) is not { } end) continue;
            _at = content;
            AddData(at);
            _at = end;
            AfterTag(sign);
            return;
        }
        throw Error("the raw block that begins here does not end", tag);
    }

    /// <summary>The place after a tag that holds this word alone, and the sign before its end; null where it is another.</summary>
    private int? TagEnd(int tag, string word, out char sign)
    {
        sign = ' ';
        var at = AfterSpace(AfterSign(tag));
        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0) return null;
        at = AfterSpace(at + word.Length);
        if (at < _source.Length && _source[at] is '-' or '+') sign = _source[at++];
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? at + 2 : null;
    }

    private int AfterSign(int tag) => tag + 2 < _source.Length && _source[tag + 2] is '-' or '+' ? tag + 3 : tag + 2;

    private int AfterSpace(int at)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at])) at++;
        return at;
    }

    private void SkipSpace() => _at = AfterSpace(_at);

    private void Add(TokenKind kind, string text, int at) => _tokens.Add(new TemplateToken(kind, text, _expressions.LineOf(at)));

    private ChatTemplateException Error(string complaint, int at) => new(complaint, _expressions.LineOf(at));
}
