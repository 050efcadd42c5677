using DeRa.Testing;
using DeRa.Text.Loading;
using DeRa.Text.Tokenizers.SentencePiece;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

public sealed class SentencePieceTests
{
    [Fact]
    public void Equal_merges_go_from_the_left()
    {
        var tokenizer = Load(Model());
        Assert.Equal(["▁", "aa", "a"], tokenizer.Tokens("aaa"));
        Assert.Equal(["▁t", "o", "▁t"], tokenizer.Tokens("to t"));
    }

    [Fact]
    public void The_merge_with_the_higher_score_goes_first() => Assert.Equal(["▁", "a", "ab", "b"], Load(Model()).Tokens("aabb"));

    [Fact]
    public void Characters_without_a_piece_become_bytes_and_come_back()
    {
        var tokenizer = Load(Model());
        Assert.Equal(["▁", "<0xC3>", "<0xA9>", "a"], tokenizer.Tokens("éa"));
        Assert.Equal("éa 🦙\n", tokenizer.Decode(tokenizer.Encode("éa 🦙\n")));
    }

    [Fact]
    public void A_run_of_unknown_characters_is_one_token_without_byte_fallback() =>
        Assert.Equal(["▁", "<unk>", "a", "<unk>"], Load(Model() with { ByteFallback = false }).Tokens("日本a語"));

    [Theory]
    [InlineData(" a  b ", new[] { "▁", "a", "▁", "b" })]
    [InlineData("a", new[] { "▁", "a" })]
    [InlineData("   ", new string[0])]
    public void Extra_spaces_go_where_the_model_says_so(string text, string[] expected) =>
        Assert.Equal(expected, Load(Model() with { RemoveExtraWhitespace = true }).Tokens(text));

    [Fact]
    public void Control_pieces_in_a_users_text_stay_text_and_user_defined_ones_do_not()
    {
        var tokenizer = Load(Model());
        Assert.DoesNotContain(tokenizer.Encode("<s><x></s>", addSpecialTokens: false), tokenizer.IsSpecial);
        Assert.Contains("<x>", tokenizer.Tokens("<s><x></s>"));
        Assert.Equal(["<s>", "▁", "a", "</s>"], tokenizer.Tokens("<s>a</s>", parseSpecialTokens: true));
    }

    [Fact]
    public void Byte_pieces_spelled_out_stay_text()
    {
        var tokenizer = Load(Model());
        Assert.Equal("<0x0A>", tokenizer.Decode(tokenizer.Encode("<0x0A>")));
    }

    [Theory]
    [InlineData(null, new[] { 1 }, new int[0])]
    [InlineData("""{ "add_bos_token": false }""", new int[0], new int[0])]
    [InlineData("""{ "add_eos_token": true }""", new[] { 1 }, new[] { 2 })]
    public void Begin_and_end_tokens_follow_the_config(string? config, int[] before, int[] after)
    {
        var tokenizer = Load(Model(), config);
        Assert.Equal([.. before, .. tokenizer.Encode("a", addSpecialTokens: false), .. after], tokenizer.Encode("a"));
    }

    [Fact]
    public void Configured_tokens_are_added_past_the_models_own()
    {
        var tokenizer = Load(Model(), """{ "added_tokens_decoder": { "900": { "content": "<|im_end|>", "special": true } } }""");
        Assert.Equal(901, tokenizer.VocabularySize);
        Assert.True(tokenizer.IsSpecial(900));
        Assert.Equal(["▁", "a", "<|im_end|>"], tokenizer.Tokens("a<|im_end|>", parseSpecialTokens: true));
    }

    [Fact]
    public void A_piece_that_the_config_makes_special_is_no_text()
    {
        const string config = """{ "added_tokens_decoder": { "260": { "content": "ab", "special": true } } }""";
        Assert.Equal(["▁", "ab"], Load(Model()).Tokens("ab"));
        Assert.Equal(["▁", "a", "b"], Load(Model(), config).Tokens("ab"));
        Assert.Equal(["ab"], Load(Model(), config).Tokens("ab", parseSpecialTokens: true));
    }

    [Theory]
    [InlineData(null, new[] { "▁", "a", "<s>", "▁", "b" })]
    [InlineData("""{ "legacy": false }""", new[] { "▁", "a", "<s>", "b" })]
    public void Text_after_a_special_token_gets_a_space_in_the_legacy_way_only(string? config, string[] expected) =>
        Assert.Equal(expected, Load(Model(), config).Tokens("a<s>b", parseSpecialTokens: true));

    [Fact]
    public void What_is_not_implemented_is_refused_by_name()
    {
        (SentencePieceModel Model, string Expected)[] cases =
        [
            (Model() with { Type = 1 }, "model_type 1"),
            (Model() with { CharacterMap = "x" }, "precompiled_charsmap"),
            (Model() with { Pieces = [.. Model().Pieces, new Piece("zz", 0, PieceType.Unused)] }, "UNUSED"),
            (Model() with { Pieces = [new Piece("<unk>", 0, PieceType.Unknown)] }, "<0x00>"),
            (Model() with { Pieces = [] }, "no pieces"),
            (Model() with { Pieces = [.. Model().Pieces, new Piece(new string('a', 1025), 0, PieceType.Normal)] },
                "more than 1024 characters"),
        ];
        foreach (var (model, expected) in cases)
        {
            var error = Assert.Throws<TokenizerException>(() => Load(model));
            Assert.Contains("tokenizer.model", error.Message, StringComparison.Ordinal);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_that_is_none_is_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.model", "this is no protocol buffer");
        Assert.Contains("tokenizer.model",
            Assert.Throws<TokenizerException>(() => TokenizerLoader.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static SentencePieceModel Model() => SentencePieceModel.Tiny();

    private static ITokenizer Load(SentencePieceModel model, string? config = null)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "tokenizer.model"), model.ToBytes());
        if (config is not null) folder.Write("tokenizer_config.json", config);
        return TokenizerLoader.Load(folder.Path);
    }
}
