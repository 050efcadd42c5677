using System.Text.Json.Nodes;
using DeRa.Testing;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

public sealed class TokenizerJsonTests
{
    [Fact]
    public void Byte_level_text_merges_within_words_and_keeps_spaces_and_newlines()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel());
        Assert.Equal(["the", "Ġthe", "Ġ", "Ċ", "Ċ", "the", "er"], tokenizer.Tokens("the the \n\ntheer"));
        Assert.Equal("the the \n\ntheer", tokenizer.Decode(tokenizer.Encode("the the \n\ntheer")));
    }

    [Fact]
    public void Merges_as_texts_and_as_pairs_give_the_same_ids()
    {
        var asPairs = TinyTokenizer.ByteLevel();
        asPairs["model"]!["merges"] = new JsonArray([.. asPairs["model"]!["merges"]!.AsArray()
            .Select(merge => (JsonNode)new JsonArray([.. merge!.GetValue<string>().Split(' ').Select(part => (JsonNode)part)]))]);
        const string text = "the other aaaaaaa café";
        Assert.Equal(TinyTokenizer.Load(TinyTokenizer.ByteLevel()).Encode(text), TinyTokenizer.Load(asPairs).Encode(text));
    }

    [Fact]
    public void Byte_fallback_spells_characters_outside_the_vocabulary_by_their_bytes()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteFallback());
        Assert.Equal(["▁the", "▁", "<0xF0>", "<0x9F>", "<0xA6>", "<0x99>", "é", "<0x0A>"], tokenizer.Tokens("the 🦙é\n"));
        Assert.Equal("the 🦙é\n", tokenizer.Decode(tokenizer.Encode("the 🦙é\n")));
    }

    [Theory]
    [InlineData(true, new[] { "▁", "<unk>", "a", "<unk>" })]
    [InlineData(false, new[] { "▁", "<unk>", "<unk>", "a", "<unk>" })]
    public void Unknown_characters_fuse_where_the_file_says_so(bool fuse, string[] expected)
    {
        var file = TinyTokenizer.ByteFallback();
        file["model"]!["byte_fallback"] = false;
        file["model"]!["fuse_unk"] = fuse;
        Assert.Equal(expected, TinyTokenizer.Load(file).Tokens("XYaZ"));
    }

    [Fact]
    public void Special_tokens_in_a_users_text_stay_text()
    {
        foreach (var file in new[] { TinyTokenizer.ByteLevel(), TinyTokenizer.ByteFallback() })
        {
            var tokenizer = TinyTokenizer.Load(file);
            var ids = tokenizer.Encode("a<s>a", addSpecialTokens: false);
            Assert.DoesNotContain(ids, tokenizer.IsSpecial);
            Assert.Equal("a<s>a", tokenizer.Decode(ids));
            Assert.Contains("<s>", tokenizer.Tokens("a<s>a", parseSpecialTokens: true));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merges_lead_to_no_special_token_even_where_the_vocabulary_has_it(bool ignoreMerges)
    {
        var file = TinyTokenizer.ByteLevel();
        file["pre_tokenizer"]!["use_regex"] = false;
        var model = file["model"]!;
        foreach (var (token, id) in new[] { ("<e", 900), ("<e>", 901), ("<e>x", 902) }) model["vocab"]![token] = id;
        foreach (var merge in new[] { "< e", "<e >", "<e> x" }) model["merges"]!.AsArray().Add(merge);
        model["ignore_merges"] = ignoreMerges;
        Assert.Equal(["<e>"], TinyTokenizer.Load(file).Tokens("<e>"));
        file["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{ "id": 901, "content": "<e>", "special": true }"""));
        var tokenizer = TinyTokenizer.Load(file);
        Assert.Equal(["<e", ">", "t"], tokenizer.Tokens("<e>t"));
        Assert.Equal(["<e>", "t"], tokenizer.Tokens("<e>t", parseSpecialTokens: true));
        Assert.Equal("<e>x" + new string('-', 300), tokenizer.Decode(tokenizer.Encode("<e>x" + new string('-', 300))));
    }

    [Fact]
    public void Added_tokens_that_are_not_special_are_always_found_the_longest_first()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<a>", "").WithAddedToken("<a><b>", ""));
        Assert.Equal(["t", "<a><b>", "<a>", "t"], tokenizer.Tokens("t<a><b><a>t"));
        Assert.Equal("t<a><b><a>t", tokenizer.Decode(tokenizer.Encode("t<a><b><a>t")));
    }

    [Fact]
    public void Added_tokens_take_the_white_space_beside_them_where_the_file_says_so()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<l>", "lstrip").WithAddedToken("<r>", "rstrip"));
        Assert.Equal(["a", "<l>", "Ġ", "b"], tokenizer.Tokens("a \n<l> b"));
        Assert.Equal(["a", "Ġ", "<r>", "b"], tokenizer.Tokens("a <r> \nb"));
    }

    [Fact]
    public void Added_single_words_are_not_found_inside_a_word()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("cat", "single_word"));
        Assert.Equal(["cat", "-", "cat"], tokenizer.Tokens("cat-cat"));
        Assert.Equal(["c", "a", "t", "s"], tokenizer.Tokens("cats"));
        Assert.Equal(["_", "c", "a", "t"], tokenizer.Tokens("_cat"));
    }

    [Fact]
    public void Added_normalized_tokens_are_found_in_normalized_text()
    {
        var file = TinyTokenizer.ByteFallback().WithAddedToken("a b", "normalized");
        Assert.Equal(["a b", "c"], TinyTokenizer.Load(file).Tokens("a bc"));
        Assert.Equal("a bc", TinyTokenizer.Load(file).Decode(TinyTokenizer.Load(file).Encode("a bc")));
    }

    [Fact]
    public void Ignore_merges_takes_a_piece_that_is_a_token_whole()
    {
        var file = TinyTokenizer.ByteLevel();
        file["model"]!["vocab"]!["ter"] = 900;
        Assert.Equal(["t", "er"], TinyTokenizer.Load(file).Tokens("ter"));
        file["model"]!["ignore_merges"] = true;
        Assert.Equal(["ter"], TinyTokenizer.Load(file).Tokens("ter"));
        Assert.Equal(901, TinyTokenizer.Load(file).VocabularySize);
        Assert.Null(TinyTokenizer.Load(file).GetToken(899));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData("""{ "add_bos_token": false, "bos_token": "<s>" }""", 0)]
    [InlineData("""{ "add_bos_token": true, "bos_token": { "content": "<s>" } }""", 1)]
    [InlineData("""{ "add_bos_token": true, "add_eos_token": true, "bos_token": "<s>", "eos_token": "<s>" }""", 2)]
    public void Tokenizer_config_says_which_tokens_surround_a_text(string? config, int expected)
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel(), config);
        Assert.Equal(expected, tokenizer.Encode("a").Count(tokenizer.IsSpecial));
        Assert.Equal(0, tokenizer.Encode("a", addSpecialTokens: false).Count(tokenizer.IsSpecial));
    }

    [Fact]
    public void A_long_word_is_encoded_and_decoded()
    {
        var text = new string('a', 200_000);
        foreach (var file in new[] { TinyTokenizer.ByteLevel(), TinyTokenizer.ByteFallback() })
        {
            var tokenizer = TinyTokenizer.Load(file);
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.InRange(ids.Count, 50_000, 50_001);
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Lone_surrogates_become_replacement_characters()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel());
        Assert.Equal("a\uFFFDb\uFFFD", tokenizer.Decode(tokenizer.Encode("a\uD83Db\uDE00")));
    }

    [Fact]
    public void Many_threads_may_encode_at_once()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel());
        var texts = Enumerable.Range(0, 200).Select(i => $"the other {i} aaaa{new string('a', i)} café").ToArray();
        var expected = texts.Select(text => tokenizer.Encode(text)).ToArray();
        var fresh = TinyTokenizer.Load(TinyTokenizer.ByteLevel());
        var actual = new IReadOnlyList<int>[texts.Length];
        Parallel.For(0, texts.Length, i => actual[i] = fresh.Encode(texts[i]));
        Assert.Equal(expected, actual);
    }
}
