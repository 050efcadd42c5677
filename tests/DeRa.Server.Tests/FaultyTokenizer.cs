using DeRa.Testing;
using DeRa.Text;

namespace DeRa.Server.Tests;

/// <summary>A tokenizer that throws on some texts or tokens.</summary>
internal sealed class FaultyTokenizer(ITokenizer sound, bool throwsInPrompts) : ITokenizer
{
    /// <summary>Two of these in a row cannot be decoded.</summary>
    public const int Poison = ByteTokenizer.Bos;

    /// <summary>Called with each text before it is encoded.</summary>
    public Action<string>? Encoding { get; init; }

    public bool NormalizesSpecialTokens => sound.NormalizesSpecialTokens;

    public int VocabularySize => sound.VocabularySize;

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = false)
    {
        Encoding?.Invoke(text);
        return throwsInPrompts && text.StartsWith('V') ? throw Fault() : sound.Encode(text, addSpecialTokens, parseSpecialTokens);
    }

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens, IReadOnlyList<int> boundaries) =>
        Encode(text, addSpecialTokens);

    public ReadOnlyMemory<byte> GetBytes(int token) => sound.GetBytes(token);

    public string? GetToken(int token) => sound.GetToken(token);

    public bool IsSpecial(int token) => sound.IsSpecial(token);

    public StreamingDecoder CreateDecoder(bool continuesText, bool skipSpecialTokens = true) =>
        new Decoder(sound.CreateDecoder(continuesText, skipSpecialTokens));

    private static InvalidOperationException Fault() => new("the tokenizer is broken");

    private sealed class Decoder(StreamingDecoder sound) : StreamingDecoder
    {
        private int _last;

        public override string Append(int token)
        {
            if (token == Poison && _last == Poison) throw Fault();
            _last = token;
            return sound.Append(token);
        }

        public override string Finish() => sound.Finish();
    }
}
