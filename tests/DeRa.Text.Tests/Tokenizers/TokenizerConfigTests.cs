using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

/// <summary>The files beside tokenizer.json and tokenizer.model, whichever of the two is read.</summary>
public sealed class TokenizerConfigTests
{
    private const string AddedByConfig =
        """{ "added_tokens_decoder": { "900": { "content": "<|im_end|>", "special": true }, "901": { "content": "<tool>" } } }""";

    public static TheoryData<string> Kinds => ["tokenizer.json", "tokenizer.model"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tokens_added_after_training_are_known(string kind)
    {
        var tokenizer = Load(kind, ("tokenizer_config.json", AddedByConfig));
        Assert.Equal(["a", "<|im_end|>", "<tool>"],
            tokenizer.Tokens("a<|im_end|><tool>", parseSpecialTokens: true).Where(token => token != "▁"));
        Assert.Equal([true, false], new[] { tokenizer.IsSpecial(900), tokenizer.IsSpecial(901) });
        Assert.Contains("<tool>", tokenizer.Tokens("<|im_end|><tool>"));
        Assert.DoesNotContain("<|im_end|>", tokenizer.Tokens("<|im_end|><tool>"));
        Assert.Equal("a<tool>", tokenizer.Decode(tokenizer.Encode("a<|im_end|><tool>", true, parseSpecialTokens: true)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Older_files_name_the_added_tokens_and_which_are_special(string kind)
    {
        var tokenizer = Load(
            kind,
            ("added_tokens.json", """{ "[PAD]": 900, "<tool>": 901, "<|im_start|>": 902, "<s>": 1 }"""),
            ("special_tokens_map.json", """{ "pad_token": { "content": "[PAD]" }, "additional_special_tokens": ["<|im_start|>"] }"""));
        Assert.Equal([900, 902], new[] { 900, 901, 902 }.Where(tokenizer.IsSpecial));
        Assert.True(tokenizer.IsSpecial(1));
        Assert.Equal([900, 901, 902], tokenizer.Encode("[PAD]<tool><|im_start|>", addSpecialTokens: false, parseSpecialTokens: true));
        Assert.Equal([901], tokenizer.Encode("[PAD]<tool><|im_start|>", addSpecialTokens: false).Where(id => id >= 900));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tokenizer_config_goes_before_what_the_tokenizers_own_file_says_of_a_token(string kind)
    {
        var tokenizer = Load(
            kind,
            ("tokenizer_config.json", """{ "added_tokens_decoder": { "2": { "content": "</s>", "rstrip": true, "special": false } } }"""));
        // But what is special in tokenizer.json stays so, as in the library.
        Assert.Equal(kind == "tokenizer.json", tokenizer.IsSpecial(2));
        Assert.Equal(["</s>", "a"], tokenizer.Tokens("</s>  a", parseSpecialTokens: true).Where(token => token != "▁"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Older_files_beside_a_configuration_that_holds_the_added_tokens_count_for_nothing(string kind)
    {
        const string config = """
            { "bos_token": "<s>", "add_bos_token": true,
              "added_tokens_decoder": { "900": { "content": "<pad>", "special": true }, "901": { "content": "<tool>" } } }
            """;
        foreach (var (added, map) in ((string, string)[])[
            ("""{ "[PAD]": 900, "<old>": 902 }""",
                """{ "bos_token": "</s>", "pad_token": "<tool>", "additional_special_tokens": ["a"] }"""),
            ("[", "[")])
        {
            var tokenizer = Load(kind, ("tokenizer_config.json", config), ("added_tokens.json", added), ("special_tokens_map.json", map));
            Assert.Equal(("<pad>", 902), (tokenizer.GetToken(900), tokenizer.VocabularySize));
            Assert.Equal([true, false], new[] { tokenizer.IsSpecial(900), tokenizer.IsSpecial(901) });
            Assert.Equal(1, tokenizer.Encode("a")[0]);
            Assert.DoesNotContain(900, tokenizer.Encode("[PAD]", addSpecialTokens: false, parseSpecialTokens: true));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_special_tokens_map_goes_before_a_configuration_without_added_tokens(string kind)
    {
        var tokenizer = Load(
            kind,
            ("tokenizer_config.json", """{ "add_bos_token": true, "bos_token": "<s>", "pad_token": "<old>" }"""),
            ("added_tokens.json", """{ "<new>": 900, "<old>": 901 }"""),
            ("special_tokens_map.json", """{ "bos_token": "</s>", "pad_token": "<new>", "unk_token": null }"""));
        Assert.Equal(2, tokenizer.Encode("a")[0]);
        Assert.Equal([true, false], new[] { tokenizer.IsSpecial(900), tokenizer.IsSpecial(901) });
    }

    [Theory]
    [InlineData("added_tokens.json", """{ "<old>": 900, "<tool>": 901, "<s>": 902 }""")]
    [InlineData("tokenizer_config.json", """
        { "added_tokens_decoder": { "900": { "content": "<old>" }, "901": { "content": "<tool>" }, "902": { "content": "<s>" } } }
        """)]
    public void Which_id_a_token_has_is_for_tokenizer_json_to_say(string file, string content)
    {
        var json = TinyTokenizer.ByteFallback();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{ "id": 900, "content": "<pad>", "special": true }"""));
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json.ToJsonString());
        folder.Write(file, content);
        var tokenizer = TokenizerLoader.Load(folder.Path);
        Assert.Equal(["<pad>", "<tool>"], new[] { tokenizer.GetToken(900), tokenizer.GetToken(901) });
        Assert.Equal(902, tokenizer.VocabularySize);
        Assert.Equal([900, 901, 1], tokenizer.Encode("<pad><tool><s>", addSpecialTokens: false, parseSpecialTokens: true));
        Assert.DoesNotContain(900, tokenizer.Encode("<old>", addSpecialTokens: false, parseSpecialTokens: true));
        Assert.True(tokenizer.IsSpecial(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_begin_token_may_be_named_in_the_special_tokens_map(string kind)
    {
        var tokenizer = Load(
            kind,
            ("tokenizer_config.json", """{ "add_bos_token": true, "add_eos_token": true }"""),
            ("special_tokens_map.json", """{ "bos_token": "</s>", "eos_token": { "content": "<s>" } }"""));
        var ids = tokenizer.Encode("a");
        Assert.Equal((2, 1), (ids[0], ids[^1]));
    }

    [Theory]
    [InlineData("tokenizer.model", """{ "added_tokens_decoder": { "5": { "content": "<new>" } } }""", "'<new>'", "5")]
    [InlineData("tokenizer.json", """{ "added_tokens_decoder": { "x": { "content": "<s>" } } }""", "id")]
    public void An_id_that_cannot_be_is_refused(string kind, string config, params string[] expected)
    {
        var error = Assert.Throws<TokenizerException>(() => Load(kind, ("tokenizer_config.json", config)));
        foreach (var part in expected) Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Keys_that_change_no_token_are_harmless(string kind)
    {
        var tokenizer = Load(kind, ("tokenizer_config.json", """
            { "model_max_length": 1e30, "tokenizer_class": "X", "chat_template": "{{ x }}", "clean_up_tokenization_spaces": true,
              "bos_token": null, "extra_special_tokens": {}, "additional_special_tokens": [], "sp_model_kwargs": {}, "new": [1] }
            """));
        Assert.Equal(Load(kind).Encode("a the"), tokenizer.Encode("a the"));
    }

    [Theory]
    [InlineData(null, new[] { "the" })]
    [InlineData("""{ "add_prefix_space": false }""", new[] { "the" })]
    [InlineData("""{ "add_prefix_space": true }""", new[] { "Ġthe" })]
    public void A_prefix_space_is_added_where_the_config_says_so(string? config, string[] expected) =>
        Assert.Equal(expected, TinyTokenizer.Load(TinyTokenizer.ByteLevel(), config).Tokens("the"));

    [Fact]
    public void A_sentencepiece_text_keeps_its_start_where_the_config_takes_the_prefix_space_away()
    {
        var tokenizer = Load("tokenizer.model", ("tokenizer_config.json", """{ "add_prefix_space": false }"""));
        Assert.Equal(["a"], tokenizer.Tokens("a"));
        Assert.Equal(" a", tokenizer.Decode(tokenizer.Encode(" a")));
    }

    private static ITokenizer Load(string kind, params (string Name, string Content)[] files)
    {
        using var folder = new TemporaryFolder();
        if (kind == "tokenizer.json") folder.Write(kind, TinyTokenizer.ByteFallback().ToJsonString());
        else folder.Write(kind, SentencePieceModel.Tiny().ToBytes());
        foreach (var (name, content) in files) folder.Write(name, content);
        return TokenizerLoader.Load(folder.Path);
    }
}
