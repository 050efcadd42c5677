using DeRa.Testing;
using DeRa.Text.Tokenizers;
using DeRa.Text.Tokenizers.HuggingFace;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>Pieces as huggingface/tokenizers 0.23 splits them: the expectations are its own output.</summary>
public sealed class PreTokenizerTests
{
    [Fact]
    public void A_pattern_that_takes_for_ever_on_a_text_is_given_up()
    {
        var pattern = HuggingFacePattern.Compile(
            "(?:a|aa|a[ab])+b", message => new TokenizerException(message), TimeSpan.FromMilliseconds(50));
        var error = Assert.Throws<TokenizerException>(() => pattern.Matches(new string('a', 100) + "c"));
        Assert.Contains("0.05 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_pieces_of_a_text_share_the_time_that_its_search_may_take()
    {
        var cut = Read("""
            { "type": "Sequence", "pretokenizers": [
              { "type": "Split", "pattern": { "String": "-" }, "behavior": "Removed" },
              { "type": "Split", "pattern": { "Regex": "[0-9]" }, "behavior": "Isolated" } ] }
            """);
        var searched = new SearchTime();
        var text = new string('a', 100_000);
        Assert.Equal([text, "b"], cut(new TextPiece(text + "-b", AtStart: true, searched)).Select(piece => piece.Text));
        Assert.NotEqual(TimeSpan.Zero, searched.Spent);
        searched.Add(TimeSpan.FromSeconds(10));
        Assert.Throws<TokenizerException>(() => cut(new TextPiece("a-b", AtStart: true, searched)).ToList());
    }

    [Fact]
    public void A_deep_pattern_is_refused_or_read_but_never_ends_the_process()
    {
        var deep = string.Concat(Enumerable.Repeat("(?:a|", 100_000)) + "b" + string.Concat(Enumerable.Repeat(")", 100_000));
        if (Record.Exception(() => HuggingFacePattern.Compile(deep, message => new TokenizerException(message)).Matches("ab")) is { } error)
            Assert.IsType<TokenizerException>(error);
    }

    private const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [Theory]
    [InlineData(Llama3, "I'LL go 12345!\n x", "I|'LL| go| |123|45|!\n| x")]
    [InlineData(Llama3, "it'ſ it's", "it|'ſ| it|'s")]
    [InlineData(Llama3, "a𝐀𠀀b 𝟙𝟚𝟛𝟜 🦙🏽x", "a𝐀𠀀b| |𝟙𝟚𝟛|𝟜| 🦙🏽|x")]
    [InlineData(Llama3, "a  \t\u3000b\u0085", "a|  \t|\u3000b|\u0085")]
    [InlineData(@"'(?i:ve|re|k)|\p{L}++x?|.", "abx'VE'\u212A", "abx|'VE|'\u212A")]
    [InlineData(@"[一-龥぀-ゟ]+", "ab日本ひcd", "ab|日本ひ|cd")]
    [InlineData(@"[\u0041-\x{43}\-\]]+", "xA-C]y", "x|A-C]|y")]
    [InlineData(@"(a|b)?c{2}|(?<=x)y", "abccxyy", "a|bcc|x|y|y")]
    [InlineData(@"[^\s\p{L}]", "a🦙b1 c", "a|🦙|b|1| c")]
    [InlineData(@"[\x{20000}-\x{2ffff}]+", "𝐀𠀀𠀁日🦙", "𝐀|𠀀𠀁|日🦙")]
    [InlineData(@"[^\u0000-\uffff]+|\P{L}", "a𠀀🦙-b", "a|𠀀🦙|-|b")]
    [InlineData(@"[\P{L}日𝐀-𝐂]+|🦙", "a𝐀𝐃日-🦙", "a|𝐀|𝐃|日-🦙")]
    [InlineData(@"[^\P{L}𝐀-𝐂]+|\D", "a𝐀𝐃日-🦙𝟙1", "a|𝐀|𝐃日|-|🦙|𝟙1")]
    [InlineData(@"[一-龥ࠀ-一가-퟿]+", "ab日ֆࠀ가🦙𠀀", "ab|日|ֆ|ࠀ가|🦙𠀀")]
    [InlineData(@"\s+$", "  a  \n \nb \n\n", "  a|  \n |\nb| \n\n")]
    public void A_pattern_cuts_as_in_the_reference(string pattern, string text, string pieces)
    {
        var json = System.Text.Json.JsonSerializer.Serialize(
            new { type = "Split", pattern = new { Regex = pattern }, behavior = "Isolated" });
        Assert.Equal(pieces.Split('|'), Cut(json, text));
    }

    [Theory]
    [InlineData("Removed", false, "a|b|c")]
    [InlineData("Removed", true, "-|-|-|-|-")]
    [InlineData("Isolated", false, "-|a|-|-|b|-|c|-")]
    [InlineData("Isolated", true, "-|a|-|-|b|-|c|-")]
    [InlineData("MergedWithPrevious", false, "-|a-|-|b-|c-")]
    [InlineData("MergedWithPrevious", true, "-a|-|-b|-c|-")]
    [InlineData("MergedWithNext", false, "-a|-|-b|-c|-")]
    [InlineData("MergedWithNext", true, "-|a-|-|b-|c-")]
    [InlineData("Contiguous", false, "-|a|--|b|-|c|-")]
    [InlineData("Contiguous", true, "-|a|--|b|-|c|-")]
    public void A_split_treats_its_matches_as_the_file_says(string behavior, bool invert, string pieces)
    {
        var options = $"\"behavior\": \"{behavior}\", \"invert\": {(invert ? "true" : "false")}";
        Assert.Equal(pieces.Split('|'), Cut($$"""{ "type": "Split", "pattern": { "Regex": "-" }, {{options}} }""", "-a--b-c-"));
        Assert.Equal(pieces.Split('|'), Cut($$"""{ "type": "Split", "pattern": { "String": "-" }, {{options}} }""", "-a--b-c-"));
    }

    [Theory]
    [InlineData("""{ "type": "Split", "pattern": { "String": "--" }, "behavior": "MergedWithNext", "invert": false }""",
        "a---b--c", "a|---b|--c")]
    [InlineData("""{ "type": "Digits", "individual_digits": true }""", "a12½b", "a|1|2|½|b")]
    [InlineData("""{ "type": "Digits", "individual_digits": true }""", "\U00011DE6're\U00016FF4", "\U00011DE6|'re|\U00016FF4")]
    [InlineData("""{ "type": "Digits", "individual_digits": false }""", "a12½b٣", "a|12½|b|٣")]
    [InlineData("""{ "type": "Metaspace", "replacement": "▁", "add_prefix_space": true }""", " a  b", "▁a|▁|▁b")]
    [InlineData("""{ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false }""", "a  b", "▁a▁▁b")]
    [InlineData("""{ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true }""", "a  b ", "a|▁|▁b|▁")]
    [InlineData("""{ "type": "ByteLevel", "add_prefix_space": true, "use_regex": true }""", "Hi there's  é\n", "ĠHi|Ġthere|'s|Ġ|ĠÃ©|Ċ")]
    [InlineData("""{ "type": "ByteLevel", "add_prefix_space": false, "use_regex": true }""", "I've 𝐀3 '''RE", "I|'ve|ĠðĿĲĢ|3|Ġ'''|RE")]
    [InlineData(
        """{ "type": "Sequence", "pretokenizers": [ { "type": "Split", "pattern": { "Regex": "b" }, "behavior": "Removed" },"""
            + """ { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first" } ] }""",
        "a bc", "▁a|▁|c")]
    [InlineData(
        """{ "type": "Sequence", "pretokenizers": [ { "type": "Split", "pattern": { "Regex": " " }, "behavior": "Isolated" },"""
            + """ { "type": "ByteLevel", "add_prefix_space": true, "use_regex": false } ] }""",
        "a b", "Ġa|Ġ|Ġb")]
    public void A_pre_tokenizer_cuts_as_in_the_reference(string json, string text, string pieces) =>
        Assert.Equal(pieces.Split('|'), Cut(json, text));

    [Theory]
    [InlineData(@"^a", "anchor ^")]
    [InlineData(@"\w+", "\\w is not implemented")]
    [InlineData(@"[[a]b]", "class within a class")]
    [InlineData(@"[a&&b]", "&&")]
    [InlineData(@"(?<name>a)", "(?")]
    [InlineData(@"(?i:[a-z])", "(?i:")]
    [InlineData(@"(?i:é)", "é")]
    [InlineData(@"a{2}+", "+ after {")]
    [InlineData(@"{2}", "nothing")]
    [InlineData(@"a$", "anchor $")]
    [InlineData(@"\x{110000}", "no character")]
    [InlineData(@"\p{Cs}", "{Cs}")]
    [InlineData(@"[b-a]", "empty")]
    [InlineData(@"\p{L", "\\p")]
    [InlineData(@"a)", "closes nothing")]
    [InlineData(@"[a", "not closed")]
    [InlineData(@"a\", "backslash")]
    public void A_pattern_whose_meaning_is_not_known_to_be_the_same_is_refused(string pattern, string expected)
    {
        var json = System.Text.Json.JsonSerializer.Serialize(
            new { type = "Split", pattern = new { Regex = pattern }, behavior = "Isolated" });
        Assert.Contains(expected, Assert.Throws<TokenizerException>(() => Cut(json, "a")).Message, StringComparison.Ordinal);
    }

    private static string[] Cut(string preTokenizer, string text) =>
        [.. Read(preTokenizer)(new TextPiece(text, AtStart: true)).Select(piece => piece.Text)];

    private static Func<TextPiece, IEnumerable<TextPiece>> Read(string preTokenizer)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", $$"""{ "pre_tokenizer": {{preTokenizer}} }""");
        return PreTokenizerReader.Read(JsonField.ReadFile(Path.Combine(folder.Path, "tokenizer.json")).Find("pre_tokenizer"));
    }
}
