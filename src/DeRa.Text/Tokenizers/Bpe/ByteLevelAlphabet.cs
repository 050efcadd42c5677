using System.Text;

namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>
/// GPT-2's encoding of bytes as printable characters: a byte that is a printable Latin-1 character stands for itself,
/// the others take U+0100 onwards in order. Source: <c>bytes_to_unicode</c> of openai/gpt-2.
/// </summary>
internal static class ByteLevelAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly Dictionary<char, byte> Bytes =
        Enumerable.Range(0, 256).ToDictionary(b => Characters[b], b => (byte)b);

    /// <summary>The characters of the bytes 0 to 255.</summary>
    public static IReadOnlyList<char> All => Characters;

    /// <summary>Encodes a text's UTF-8 bytes.</summary>
    public static string Encode(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return string.Create(bytes.Length, bytes, static (encoded, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++) encoded[i] = Characters[bytes[i]];
        });
    }

    /// <summary>The bytes that a token stands for; a token with any other character (an added one) stands for its own text.</summary>
    public static byte[] Read(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
            if (!Bytes.TryGetValue(token[i], out bytes[i])) return Encoding.UTF8.GetBytes(token);
        return bytes;
    }

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var next = '\u0100';
        for (var b = 0; b < 256; b++)
            characters[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF ? (char)b : next++;
        return characters;
    }
}
