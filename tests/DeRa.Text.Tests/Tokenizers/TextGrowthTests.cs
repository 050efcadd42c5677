using System.Text.Json.Nodes;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Text.Chat;
using DeRa.Text.Tokenizers.HuggingFace;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>What a tokenizer's file may make of a text: a request fails, and neither memory nor time runs out.</summary>
public sealed class TextGrowthTests
{
    private const string Doubling = """{ "type": "Replace", "pattern": { "String": "a" }, "content": "aa" }""";

    public static TheoryData<string> Greedy =>
    [
        Sequence(40, Doubling),
        Sequence(1, Sequence(40, Doubling)),
        Sequence(30, """{ "type": "Prepend", "prepend": "aaaaaaaaaaaaaaaa" }""", Doubling),
        Sequence(20, """{ "type": "Replace", "pattern": { "String": "a" }, "content": "\uFDFA" }""", """{ "type": "NFKD" }""",
            """{ "type": "Replace", "pattern": { "String": "\u0644" }, "content": "a" }"""),
        $$"""{ "type": "Replace", "pattern": { "String": "a" }, "content": "{{new string('b', 1_000_000)}}" }""",
        $$"""{ "type": "Prepend", "prepend": "{{new string('b', 1_000_000)}}" }""",
    ];

    [Theory]
    [MemberData(nameof(Greedy), DisableDiscoveryEnumeration = true)]
    public void A_normalizer_that_makes_a_text_ever_longer_fails_the_request_alone(string normalizer)
    {
        var tokenizer = Load(normalizer);
        foreach (var text in (string[])["a", new('a', 10_000)])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Assert.Throws<TokenizerException>(() => tokenizer.Encode(text));
            Assert.Contains("more than", error.Message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 27);
        }
        var validator = new RequestValidator(new ServedNames("pair", ["aligned"]), tokenizer, new GenerationDefaults(), new RequestLimits(),
            new ExecutorLimits(tokenizer.VocabularySize, ContextTokens: 64, BlockTokens: 8, BlockCount: 32));
        var input = new GenerationInput { Prompts = [new TokenPrompt([1])], MaxTokens = 1 };
        Assert.NotEmpty(validator.Prepare(input).Choices);
        Assert.Equal("prompt", Refused(input with { Prompts = [new TextPrompt("a")] }).Field);
        Assert.Equal("messages", Refused(input with { Prompts = [new ChatPrompt([new ChatMessage("user", "a")])] }).Field);
        Assert.Equal("bad_words", Refused(input with { BadWords = ["a"] }).Field);

        InvalidRequestException Refused(GenerationInput asked) => Assert.Throws<InvalidRequestException>(() => validator.Prepare(asked));
    }

    [Fact]
    public void A_token_that_a_normalizer_makes_ever_longer_is_refused_by_file()
    {
        var file = TinyTokenizer.ByteLevel().WithAddedToken("<aaaa>", "normalized");
        file["normalizer"] = JsonNode.Parse(Sequence(40, Doubling));
        var error = Assert.Throws<TokenizerException>(() => TinyTokenizer.Load(file));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        Assert.Contains("'<aaaa>'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\uFDFA", 33)] // The character that normalizes to the most of them, 18, in UTF-8.
    [InlineData("caf\u00E9", 6)]
    public void Normalization_itself_is_within_the_bound(string text, int tokens) =>
        Assert.Equal(tokens, Load("""{ "type": "NFKD" }""").Encode(text, addSpecialTokens: false).Count);

    [Theory]
    [InlineData(0, 32)]
    [InlineData(100, 3232)]
    [InlineData(1 << 20, 1 << 22)]
    [InlineData(1 << 22, 1 << 23)]
    public void A_short_text_may_grow_more_than_a_long_one(int length, long most) => Assert.Equal(most, TextGrowth.Most(length));

    private static ITokenizer Load(string normalizer)
    {
        var file = TinyTokenizer.ByteLevel();
        file["normalizer"] = JsonNode.Parse(normalizer);
        return TinyTokenizer.Load(file);
    }

    private static string Sequence(int count, params string[] steps) =>
        $$"""{ "type": "Sequence", "normalizers": [ {{string.Join(',', Enumerable.Repeat(string.Join(',', steps), count))}} ] }""";
}
