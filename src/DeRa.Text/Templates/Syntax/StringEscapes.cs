using System.Globalization;
using System.Text;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Syntax;

/// <summary>Python's escapes in a string literal.</summary>
internal static class StringEscapes
{
    public static string Read(string literal, int line)
    {
        if (!literal.Contains('\\', StringComparison.Ordinal)) return literal;
        var text = new StringBuilder(literal.Length);
        for (var i = 0; i < literal.Length; i++)
        {
            if (literal[i] != '\\' || i + 1 == literal.Length)
                text.Append(literal[i]);
            else
                i = Escape(literal, i + 1, text, line);
        }
        return text.ToString();
    }

    /// <summary>Writes what the escape stands for and returns its last place.</summary>
    private static int Escape(string literal, int at, StringBuilder text, int line)
    {
        switch (literal[at])
        {
            case '\n': return at;
            case 'n': text.Append('\n'); return at;
            case 't': text.Append('\t'); return at;
            case 'r': text.Append('\r'); return at;
            case 'a': text.Append('\a'); return at;
            case 'b': text.Append('\b'); return at;
            case 'f': text.Append('\f'); return at;
            case 'v': text.Append('\v'); return at;
            case '\\' or '\'' or '"': text.Append(literal[at]); return at;
            case 'x': return Hexadecimal(literal, at, 2, text, line);
            case 'u': return Hexadecimal(literal, at, 4, text, line);
            case 'U': return Hexadecimal(literal, at, 8, text, line);
            case >= '0' and <= '7': return Octal(literal, at, text);
            // Python keeps an escape that it does not know.
            default: text.Append('\\').Append(literal[at]); return at;
        }
    }

    private static int Hexadecimal(string literal, int at, int digits, StringBuilder text, int line)
    {
        if (at + digits > literal.Length - 1 || !int.TryParse(literal.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0x10FFFF)
            throw new ChatTemplateException($"'\\{literal[at]}' needs {digits} hexadecimal digits of a character", line);
        text.Append(code is >= 0x10000 ? char.ConvertFromUtf32(code) : ((char)code).ToString());
        return at + digits;
    }

    private static int Octal(string literal, int at, StringBuilder text)
    {
        var (code, end) = (0, at);
        while (end < literal.Length && end < at + 3 && literal[end] is >= '0' and <= '7') code = code * 8 + literal[end++] - '0';
        text.Append((char)code);
        return end - 1;
    }
}
