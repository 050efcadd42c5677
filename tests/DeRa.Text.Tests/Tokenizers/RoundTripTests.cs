using System.Text;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>Random Unicode through every tokenizer that has a token for each byte and loses nothing of a text.</summary>
public sealed class RoundTripTests
{
    /// <summary>
    /// Normalization, tokens that take white space away, bytes that stand for letters and a prefix space that is not added before
    /// a space lose something, in the reference too.
    /// </summary>
    private static readonly string[] Lossy =
    [
        "Qwen1.5, 2, 2.5, 3", "GPT-NeoX, Pythia", "OLMo", "DeepSeek Coder", "lstrip, rstrip, single_word", "Phi-3, Phi-3.5",
        "Mistral 7B v0.3, Mixtral", "qwen2_5",
    ];

    private static readonly string[] Snippets =
    [
        "the", " ", "  ", "\n", "\r\n", "\t", "e\u0301", "\u0301", "\u0327\u0301", "日本", "한글", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪",
            "𠀀", "𝟙", "\u200D", "\u200F",
        "שלום", "مرحبا", "<s>", "</s>", "<|im_end|>", "<0x0A>", "aaaa", "\0", "\u001B", "\uFFFD", "\uFFFE", "\uFEFF",
            "\u0085", "12345", "it's",
    ];

    public static TheoryData<string> Names =>
    [
        .. ReferenceEncodingTests.Names.Select(row => row.Data).Except(Lossy), "tokenizers/mistral-7b-v0.1/tokenizer.model",
        "tokenizers/llama-2/tokenizer.model", "models/stories260k/tokenizer.json", "models/stories260k/tokenizer.model",
        "src/DeRa.Serving/DefaultPair/reference/tokenizer.json", "tests/DeRa.Lab.Tests/Tokenizers/Golden/tokenizer.json",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_text_comes_back_and_streams_in_whole_characters(string name)
    {
        var tokenizer = Load(name);
        var random = new Random(11);
        for (var i = 0; i < 200; i++)
        {
            var text = RandomText(random);
            var expected = string.Concat(text.EnumerateRunes());
            var ids = tokenizer.Encode(text);
            var decoder = tokenizer.CreateDecoder(continuesText: false);
            var parts = ids.Select(decoder.Append).ToList();
            Assert.Equal(expected, string.Concat(parts));
            Assert.All(parts, part => Assert.Equal(part, string.Concat(part.EnumerateRunes())));
            Assert.Equal("", decoder.Finish());
            Assert.Equal(expected, tokenizer.Decode(ids));
            var bytes = ids.SelectMany(id => tokenizer.GetBytes(id).ToArray()).ToArray();
            Assert.EndsWith(expected, Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// A prefix of the tokens decodes to a prefix of the text, whatever the tokens are; half characters come out at the end.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Random_tokens_stream_to_what_they_decode_to_as_a_whole(string name)
    {
        var tokenizer = Load(name);
        var random = new Random(12);
        for (var i = 0; i < 200; i++)
        {
            var ids = Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(tokenizer.VocabularySize)).ToArray();
            var decoder = tokenizer.CreateDecoder(continuesText: true);
            var streamed = new StringBuilder();
            foreach (var id in ids) streamed.Append(decoder.Append(id));
            streamed.Append(decoder.Finish());
            var bytes = ids.SelectMany(id => tokenizer.GetBytes(id).ToArray()).ToArray();
            Assert.Equal(Encoding.UTF8.GetString(bytes), streamed.ToString());
        }
    }

    private static ITokenizer Load(string name)
    {
        if (!name.Contains("/tokenizer.", StringComparison.Ordinal)) return ReferenceEncodingTests.Load(name);
        var committed = Path.Combine(SharedData.ProjectRoot, name);
        var found = File.Exists(committed) ? committed : SharedData.Find(name);
        Assert.SkipWhen(found is null, SharedData.Missing);
        using var folder = new TemporaryFolder();
        folder.Copy(found!);
        return TokenizerLoader.Load(folder.Path);
    }

    /// <summary>May hold lone surrogates; never ▁, which SentencePiece's spelling makes a space.</summary>
    private static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (var left = random.Next(25); left > 0; left--)
            text.Append(random.Next(3) switch
            {
                0 => RandomCharacter(random),
                _ => Snippets[random.Next(Snippets.Length)],
            });
        if (random.Next(4) == 0) text.Insert(random.Next(text.Length + 1), (char)random.Next(0xD800, 0xE000));
        return text.ToString();
    }

    private static string RandomCharacter(Random random)
    {
        while (true)
            if (Rune.TryCreate(random.Next(random.Next(2) == 0 ? 0x110000 : 0x3000), out var rune) && rune.Value != 0x2581)
                return rune.ToString();
    }
}
