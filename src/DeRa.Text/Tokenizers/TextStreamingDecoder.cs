using System.Text;

namespace DeRa.Text.Tokenizers;

/// <summary>Turns tokens into text by their bytes, holding back a UTF-8 character until it is whole.</summary>
internal sealed class TextStreamingDecoder : StreamingDecoder
{
    private readonly TokenTable _tokens;
    private readonly TokenRendering _rendering;
    private readonly bool _skipSpecialTokens;
    // .NET replaces each longest beginning of a character that cannot be continued, as Python's errors="replace" does.
    private readonly Decoder _utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetDecoder();
    private bool _atStart;
    private int _leadingLeft;

    public TextStreamingDecoder(TokenTable tokens, TokenRendering rendering, bool continuesText, bool skipSpecialTokens)
    {
        (_tokens, _rendering, _skipSpecialTokens) = (tokens, rendering, skipSpecialTokens);
        _atStart = !continuesText;
        _leadingLeft = continuesText ? 0 : rendering.LeadingCount;
    }

    public override string Append(int token)
    {
        if ((uint)token >= (uint)_tokens.Size || _tokens.TextOf(token) is null) return "";
        if (_skipSpecialTokens && _tokens.IsSpecial(token)) return "";
        var bytes = _atStart ? _rendering.Render(_tokens.Form(token), true) : _tokens.Bytes(token);
        _atStart = false;
        return Decode(bytes, flush: false);
    }

    public override string Finish() => Decode([], flush: true);

    private string Decode(byte[] bytes, bool flush)
    {
        var characters = new char[_utf8.GetCharCount(bytes, 0, bytes.Length, flush)];
        _utf8.GetChars(bytes, 0, bytes.Length, characters, 0, flush);
        var start = 0;
        while (start < characters.Length && _leadingLeft > 0 && characters[start] == _rendering.LeadingCharacter)
        {
            start++;
            _leadingLeft--;
        }
        if (start < characters.Length) _leadingLeft = 0;
        return new string(characters, start, characters.Length - start);
    }
}

/// <summary>How tokens become text.</summary>
/// <param name="Render">The bytes of a token's form; the second argument says whether it is the first of a text.</param>
/// <param name="LeadingCharacter">A character that is dropped from the start of a text.</param>
/// <param name="LeadingCount">How many of them at most.</param>
internal sealed record TokenRendering(Func<string, bool, byte[]> Render, char LeadingCharacter = ' ', int LeadingCount = 0);
