using System.Globalization;

namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>The tokens <c>&lt;0x00&gt;</c> … <c>&lt;0xFF&gt;</c> that stand for single bytes.</summary>
internal static class ByteToken
{
    public static string Format(byte value) => $"<0x{value:X2}>";

    public static bool TryRead(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The ids of all 256 byte tokens, or null where the vocabulary lacks one.</summary>
    public static int[]? FindAll(Func<string, int?> idOf)
    {
        var ids = new int[256];
        for (var b = 0; b < 256; b++)
        {
            if (idOf(Format((byte)b)) is not { } id) return null;
            ids[b] = id;
        }
        return ids;
    }
}
