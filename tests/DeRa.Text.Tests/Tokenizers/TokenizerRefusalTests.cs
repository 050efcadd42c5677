using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

public sealed class TokenizerRefusalTests
{
    [Theory]
    [InlineData("model.type", "\"WordPiece\"", "model", "'WordPiece'", "BPE")]
    [InlineData("model.type", "\"Unigram\"", "model.type", "'Unigram'", "BPE")]
    [InlineData("model.type", "\"WordLevel\"", "model.type", "'WordLevel'", "BPE")]
    [InlineData("model.dropout", "0.1", "model.dropout", "dropout")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix", "'</w>'")]
    [InlineData("model.new_thing", "1", "model", "'new_thing'")]
    [InlineData("model.merges", """["a b c"]""", "merges[0]", "two tokens")]
    [InlineData("model.merges", """["a ZZ"]""", "merges[0]", "'ZZ'")]
    [InlineData("model.merges", """["t h", " a"]""", "merges[1]", "neither of them empty")]
    [InlineData("model.merges", """["a "]""", "merges[0]", "neither of them empty")]
    [InlineData("model.merges", """[["", "a"]]""", "merges[0]", "neither of them empty")]
    [InlineData("model.vocab", "{}", "model.vocab", "no tokens")]
    [InlineData("model.vocab.a", "-1", "model.vocab.a", "0 to")]
    [InlineData("model.vocab.a", "66", "model.vocab", "the id 66")]
    [InlineData("model.byte_fallback", "true", "model", "<0x00>")]
    [InlineData("model.unk_token", "\"<none>\"", "unk_token", "'<none>'")]
    [InlineData("normalizer", """{ "type": "Lowercase" }""", "normalizer", "'Lowercase'", "NFC")]
    [InlineData("normalizer", """{ "type": "Replace", "pattern": { "Regex": "a" }, "content": "" }""", "normalizer.pattern", "String")]
    [InlineData("normalizer", """{ "type": "NFC", "extra": 1 }""", "normalizer", "'extra'")]
    [InlineData("pre_tokenizer", """{ "type": "Sequence", "pretokenizers": [ { "type": "Punctuation" } ] }""",
        "pre_tokenizer.pretokenizers[0]", "'Punctuation'")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "String": "a" }, "behavior": "Shredded" }""",
        "pre_tokenizer.behavior", "'Shredded'", "Isolated")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "\\bword" }, "behavior": "Removed" }""",
        "pre_tokenizer.pattern.Regex", "\\b is not implemented")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "\\p{Han}" }, "behavior": "Removed" }""", "{Han}")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "a|(b" }, "behavior": "Removed" }""", "not closed")]
    [InlineData("pre_tokenizer", """{ "type": "Whitespace" }""", "pre_tokenizer",
        "'Whitespace'", "Sequence, ByteLevel, Split, Digits, Metaspace")]
    [InlineData("normalizer", """{ "type": "Precompiled", "precompiled_charsmap": "" }""", "normalizer",
        "'Precompiled'", "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Strip")]
    [InlineData("decoder", """{ "type": "CTC" }""", "decoder",
        "'CTC'", "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace")]
    [InlineData("post_processor", """{ "type": "BertProcessing" }""", "post_processor",
        "'BertProcessing'", "TemplateProcessing, ByteLevel, Sequence")]
    [InlineData("post_processor", """{ "type": "RobertaProcessing" }""", "post_processor",
        "'RobertaProcessing'", "TemplateProcessing, ByteLevel, Sequence")]
    [InlineData("decoder", "null", "no decoder")]
    [InlineData("decoder", """{ "type": "WordPiece" }""", "decoder", "'WordPiece'", "ByteLevel")]
    [InlineData("decoder",
        """{ "type": "Sequence", "decoders": [ { "type": "Fuse" }, { "type": "Strip", "content": " ", "start": 0, "stop": 1 } ] }""",
            "decoders[1]", "Strip")]
    [InlineData("added_tokens", """[ { "id": 300, "content": "a" } ]""", "added_tokens[0]", "'a'", "300")]
    [InlineData("added_tokens", """[ { "id": 65, "content": "<new>" } ]""", "the id 65", "'<new>'")]
    [InlineData("new_part", "{}", "'new_part'")]
    public void What_is_not_implemented_is_refused_by_name(string path, string value, params string[] expected)
    {
        var file = TinyTokenizer.ByteLevel();
        Set(file, path.Split('.'), JsonNode.Parse(value));
        var error = Assert.Throws<TokenizerException>(() => TinyTokenizer.Load(file));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        foreach (var part in expected) Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string> Endless => new()
    {
        { "normalizer", Sequence("normalizers", 65, """{ "type": "NFC" }"""), "more than 64 steps" },
        { "normalizer", Sequence("normalizers", 1, Sequence("normalizers", 65, """{ "type": "NFC" }""")), "more than 64 steps" },
        { "pre_tokenizer", Sequence("pretokenizers", 65, """{ "type": "Digits", "individual_digits": true }"""), "more than 64 steps" },
        { "pre_tokenizer", Sequence("pretokenizers", 3, """{ "type": "ByteLevel" }"""), "3 steps of ByteLevel and Metaspace" },
        { "decoder", Sequence("decoders", 65, """{ "type": "Fuse" }"""), "more than 64 steps" },
        { "decoder", Sequence("decoders", 40, Doubling), "more than" },
        { "post_processor", Sequence("processors", 65, """{ "type": "ByteLevel" }"""), "more than 64 steps" },
        { "post_processor", $$$"""
            { "type": "TemplateProcessing", "single": [
              {{{string.Join(',', Enumerable.Repeat("""{ "SpecialToken": { "id": "<s>" } }""", 65))}}} ],
              "special_tokens": { "<s>": { "ids": [0] } } }
            """, "more than 64 tokens" },
    };

    /// <summary>What each file asks for is harmless once or twice.</summary>
    [Theory]
    [MemberData(nameof(Endless), DisableDiscoveryEnumeration = true)]
    public void Steps_without_end_are_refused(string part, string value, string expected)
    {
        var file = TinyTokenizer.ByteLevel();
        file[part] = JsonNode.Parse(value);
        var error = Assert.Throws<TokenizerException>(() => TinyTokenizer.Load(file));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private const string Doubling = """{ "type": "Replace", "pattern": { "String": "a" }, "content": "aa" }""";

    private static string Sequence(string items, int count, string step) =>
        $$"""{ "type": "Sequence", "{{items}}": [ {{string.Join(',', Enumerable.Repeat(step, count))}} ] }""";

    [Fact]
    public void A_folder_without_tokenizer_is_refused_with_the_files_looked_for()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<TokenizerException>(() => TokenizerLoader.Load(folder.Path));
        Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.model", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"model\": ")]
    [InlineData("{ \"model\": { \"type\": \"\\ud800\" } }")]
    public void A_file_that_is_no_json_object_is_refused(string content)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", content);
        Assert.Contains("tokenizer.json",
            Assert.Throws<TokenizerException>(() => TokenizerLoader.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "add_bos_token": "yes", "bos_token": "<s>" }""", "add_bos_token")]
    [InlineData("""{ "add_bos_token": true, "bos_token": "<none>" }""", "'<none>'")]
    public void A_tokenizer_config_that_makes_no_sense_is_refused(string config, string expected)
    {
        var error = Assert.Throws<TokenizerException>(() => TinyTokenizer.Load(TinyTokenizer.ByteLevel(), config));
        Assert.Contains("tokenizer_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static void Set(JsonNode node, string[] path, JsonNode? value)
    {
        foreach (var name in path[..^1]) node = node[name]!;
        node[path[^1]] = value;
    }
}
