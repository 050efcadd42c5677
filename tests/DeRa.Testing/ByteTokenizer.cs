using System.Text;
using DeRa.Text;

namespace DeRa.Testing;

/// <summary>
/// A tokenizer whose tokens are the 256 bytes, with BOS and EOS after them: decoding must join characters from several tokens.
/// </summary>
public sealed class ByteTokenizer : ITokenizer
{
    public const int Bos = 256;
    public const int Eos = 257;

    public bool NormalizesSpecialTokens => false;

    public int VocabularySize => 258;

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = false)
    {
        if (parseSpecialTokens) return Encode(text, addSpecialTokens, boundaries: []);
        var bytes = Encoding.UTF8.GetBytes(text).Select(value => (int)value);
        return addSpecialTokens ? [Bos, .. bytes] : [.. bytes];
    }

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens, IReadOnlyList<int> boundaries)
    {
        var ids = new List<int>(addSpecialTokens ? [Bos] : []);
        var (done, at) = (0, 0);
        for (; at < text.Length; at++)
        {
            int[] read = [.. new[] { Bos, Eos }.Where(token => StandsAt(text, at, GetToken(token)!, boundaries))];
            if (read is not [var token]) continue;
            ids.AddRange([.. Encode(text[done..at], addSpecialTokens: false), token]);
            (done, at) = (at + GetToken(token)!.Length, at + GetToken(token)!.Length - 1);
        }
        return [.. ids, .. Encode(text[done..], addSpecialTokens: false)];
    }

    public ReadOnlyMemory<byte> GetBytes(int token) => token < 256 ? new[] { (byte)token } : default;

    public string? GetToken(int token) => token switch
    {
        Bos => "<s>",
        Eos => "</s>",
        _ => $"<0x{token:X2}>",
    };

    public bool IsSpecial(int token) => token >= 256;

    public StreamingDecoder CreateDecoder(bool continuesText, bool skipSpecialTokens = true) =>
        new ByteDecoder(skipSpecialTokens ? null : GetToken);

    private static bool StandsAt(string text, int at, string token, IReadOnlyList<int> boundaries) =>
        text.AsSpan(at).StartsWith(token, StringComparison.Ordinal)
        && !boundaries.Any(boundary => boundary > at && boundary < at + token.Length);

    private sealed class ByteDecoder(Func<int, string?>? special) : StreamingDecoder
    {
        private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

        public override string Append(int token) => token < 256 ? Decode([(byte)token], flush: false) : special?.Invoke(token) ?? "";

        public override string Finish() => Decode([], flush: true);

        private string Decode(ReadOnlySpan<byte> bytes, bool flush)
        {
            Span<char> text = stackalloc char[8];
            return new string(text[..decoder.GetChars(bytes, text, flush)]);
        }
    }
}
