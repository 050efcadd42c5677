using System.Text;
using DeRa.Testing;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

public sealed class StreamingDecoderTests
{
    public static TheoryData<string> Kinds => ["byte level", "byte fallback"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Random_text_comes_back_and_no_piece_splits_a_character(string kind)
    {
        var tokenizer = Load(kind);
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var text = RandomText(random);
            var decoder = tokenizer.CreateDecoder(continuesText: false);
            var pieces = tokenizer.Encode(text).Select(decoder.Append).ToList();
            Assert.All(pieces, piece => Assert.Equal(piece, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(piece))));
            Assert.Equal(text, string.Concat(pieces));
            Assert.Equal("", decoder.Finish());
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Random_tokens_stream_to_the_text_of_their_bytes(string kind)
    {
        var tokenizer = Load(kind);
        var random = new Random(4);
        for (var i = 0; i < 500; i++)
        {
            var ids = Enumerable.Range(0, random.Next(30)).Select(_ => random.Next(tokenizer.VocabularySize)).ToArray();
            var bytes = ids.SelectMany(id => tokenizer.GetBytes(id).ToArray()).ToArray();
            var decoder = tokenizer.CreateDecoder(continuesText: true);
            var streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Finish();
            Assert.Equal(Encoding.UTF8.GetString(bytes), streamed);
            var whole = tokenizer.Decode(ids);
            Assert.Equal(kind == "byte fallback" && streamed.StartsWith(' ') ? streamed[1..] : streamed, whole);
        }
    }

    /// <summary>Expectations from Python: bytes.fromhex(…).decode("utf-8", errors="replace").</summary>
    [Theory]
    [InlineData("E69761", "\uFFFDa")]
    [InlineData("F09F98", "\uFFFD")]
    [InlineData("C080", "\uFFFD\uFFFD")]
    [InlineData("EDA080", "\uFFFD\uFFFD\uFFFD")]
    [InlineData("F5", "\uFFFD")]
    [InlineData("E697F09F9880", "\uFFFD😀")]
    [InlineData("0AE6", "\n\uFFFD")]
    [InlineData("80BF41", "\uFFFD\uFFFDA")]
    [InlineData("F4908080", "\uFFFD\uFFFD\uFFFD\uFFFD")]
    [InlineData("E0A4E0A4A4", "\uFFFDत")]
    public void Bytes_that_are_no_character_are_replaced_as_python_does(string hexadecimal, string expected)
    {
        foreach (var kind in Kinds)
        {
            var tokenizer = Load(kind);
            var ids = Convert.FromHexString(hexadecimal).Select(b => kind == "byte level" ? b : b + 3).ToArray();
            var decoder = tokenizer.CreateDecoder(continuesText: true);
            Assert.Equal(expected, string.Concat(ids.Select(decoder.Append)) + decoder.Finish());
        }
    }

    [Fact]
    public void A_completion_keeps_the_leading_space_that_a_text_loses()
    {
        var tokenizer = Load("byte fallback");
        var ids = tokenizer.Encode("the the", addSpecialTokens: false);
        Assert.Equal("the the", Stream(tokenizer, ids, continuesText: false));
        Assert.Equal(" the the", Stream(tokenizer, ids, continuesText: true));
    }

    [Fact]
    public void Only_one_leading_space_is_the_tokenizers_own()
    {
        var tokenizer = Load("byte fallback");
        Assert.Equal("  the", tokenizer.Decode(tokenizer.Encode("  the")));
        Assert.Equal(" ", tokenizer.Decode(tokenizer.Encode(" ")));
    }

    [Fact]
    public void Special_tokens_are_left_out_unless_asked_for()
    {
        var tokenizer = Load("byte fallback");
        var ids = tokenizer.Encode("the");
        Assert.Equal("the", tokenizer.Decode(ids));
        Assert.Equal("<s> the", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.True(tokenizer.GetBytes(1).IsEmpty);
        Assert.True(tokenizer.IsSpecial(1));
        Assert.False(tokenizer.IsSpecial(10_000));
        Assert.False(tokenizer.IsSpecial(-1));
    }

    private static string Stream(ITokenizer tokenizer, IEnumerable<int> ids, bool continuesText)
    {
        var decoder = tokenizer.CreateDecoder(continuesText);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Finish();
    }

    private static ITokenizer Load(string kind) =>
        TinyTokenizer.Load(kind == "byte level" ? TinyTokenizer.ByteLevel() : TinyTokenizer.ByteFallback());

    private static string RandomText(Random random)
    {
        string[] pieces =
        [
            "the", " ", "  ", "\n", "é", "e\u0301", "日本", "👨‍👩‍👧‍👦", "🏳️‍🌈", "𠀀", "\u200D", "<s>", "<0x0A>", "aaaa", "\0",
        ];
        return string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(3) > 0
            ? pieces[random.Next(pieces.Length)]
            : RandomRune(random).ToString()));
    }

    private static Rune RandomRune(Random random)
    {
        while (true)
            if (Rune.TryCreate(random.Next(0x110000), out var rune) && rune.Value != 0x2581) return rune;
    }
}
