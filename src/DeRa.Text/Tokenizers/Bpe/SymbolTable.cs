using System.Text;

namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>What a single character becomes before merging: its token, else its bytes' tokens, else the unknown token.</summary>
internal sealed class SymbolTable
{
    private readonly Dictionary<Rune, int> _characters = [];
    private readonly int[]? _bytes;
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;

    /// <param name="vocabulary">Tokens that text may become, with their ids.</param>
    /// <param name="byteTokens">The 256 byte tokens, or null where unknown characters do not fall back to bytes.</param>
    /// <param name="unknown">The token for characters that have none; null drops them.</param>
    /// <param name="fuseUnknown">Makes a run of such characters one token.</param>
    public SymbolTable(IEnumerable<KeyValuePair<string, int>> vocabulary, int[]? byteTokens, int? unknown, bool fuseUnknown)
    {
        (_bytes, _unknown, _fuseUnknown) = (byteTokens, unknown, fuseUnknown);
        foreach (var (token, id) in vocabulary)
            if (Rune.TryGetRuneAt(token, 0, out var character) && character.Utf16SequenceLength == token.Length)
                _characters[character] = id;
    }

    /// <summary>Adds the text's symbols.</summary>
    public void AddTo(List<int> symbols, ReadOnlySpan<char> text)
    {
        var afterUnknown = false;
        foreach (var character in text.EnumerateRunes())
        {
            var known = TryAdd(symbols, character);
            if (!known && _unknown is { } unknown && !(afterUnknown && _fuseUnknown)) symbols.Add(unknown);
            afterUnknown = !known;
        }
    }

    private bool TryAdd(List<int> symbols, Rune character)
    {
        if (_characters.TryGetValue(character, out var id)) symbols.Add(id);
        else if (_bytes is not null) AddBytes(symbols, character);
        else return false;
        return true;
    }

    private void AddBytes(List<int> symbols, Rune character)
    {
        Span<byte> bytes = stackalloc byte[4];
        var count = character.EncodeToUtf8(bytes);
        foreach (var b in bytes[..count]) symbols.Add(_bytes![b]);
    }
}
