using System.Text;

namespace DeRa.Torch.Adapters;

/// <summary>
/// Translates a regular expression of Python's <c>re</c> to .NET's. Named groups become numbered ones: both number those by their
/// opening parentheses, whereas .NET numbers named groups last.
/// </summary>
internal sealed class PythonPattern
{
    private readonly string _pattern;
    private readonly StringBuilder _written = new();
    private readonly Dictionary<string, int> _groups = new(StringComparer.Ordinal);
    private int _next, _groupCount;

    private PythonPattern(string pattern) => _pattern = pattern;

    /// <summary>Translates a pattern. What is invalid in both is left for .NET to refuse.</summary>
    public static string ToDotNet(string pattern) => new PythonPattern(pattern).Write();

    private string Write()
    {
        while (_next < _pattern.Length)
            switch (_pattern[_next])
            {
                case '\\': WriteEscape(); break;
                case '[': WriteClass(); break;
                case '(': WriteGroup(); break;
                case '{' when _pattern.AsSpan(_next).StartsWith("{,"): Replace("{,", "{0,"); break;
                default: _written.Append(_pattern[_next++]); break;
            }
        return _written.ToString();
    }

    /// <summary><c>\Z</c> is the very end in Python; in .NET a line end may follow.</summary>
    private void WriteEscape()
    {
        var escape = _pattern.Substring(_next, Math.Min(2, _pattern.Length - _next));
        Replace(escape, escape == @"\Z" ? @"\z" : escape);
    }

    /// <summary>A bracket within a class is a character to Python; .NET would subtract what follows.</summary>
    private void WriteClass()
    {
        var first = _next + (_pattern.AsSpan(_next).StartsWith("[^") ? 2 : 1);
        Replace(_pattern[_next..first], _pattern[_next..first]);
        while (_next < _pattern.Length && (_pattern[_next] != ']' || _next == first))
            if (_pattern[_next] == '\\') WriteEscape();
            else Replace(_pattern[_next].ToString(), _pattern[_next] == '[' ? @"\[" : _pattern[_next].ToString());
    }

    private void WriteGroup()
    {
        if (NameAfter("(?P<", '>') is { } name)
        {
            _groups.TryAdd(name, ++_groupCount);
            Replace($"(?P<{name}>", "(");
        }
        else if (NameAfter("(?P=", ')') is { } known && _groups.TryGetValue(known, out var number))
            Replace($"(?P={known})", $@"(?:\{number})");
        else if (NameAfter("(?(", ')') is { } condition && _groups.TryGetValue(condition, out var tested))
            Replace($"(?({condition})", $"(?({tested})");
        else
        {
            if (!_pattern.AsSpan(_next).StartsWith("(?")) _groupCount++;
            Replace("(", "(");
        }
    }

    private string? NameAfter(string opening, char closing)
    {
        if (!_pattern.AsSpan(_next).StartsWith(opening)) return null;
        var end = _pattern.IndexOf(closing, _next + opening.Length);
        return end < 0 ? null : _pattern[(_next + opening.Length)..end];
    }

    private void Replace(string read, string written)
    {
        _written.Append(written);
        _next += read.Length;
    }
}
