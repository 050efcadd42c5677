using DeRa.Testing;
using DeRa.Text.Loading;
using Xunit;

namespace DeRa.Text.Tests.Loading;

public sealed class TokenizerComparisonTests
{
    private static readonly ITokenizer Plain = TinyTokenizer.Load(TinyTokenizer.ByteLevel());

    [Fact]
    public void The_same_vocabulary_has_no_difference_even_under_wider_models() =>
        Assert.Null(TokenizerComparison.FirstDifference(Plain, TinyTokenizer.Load(TinyTokenizer.ByteLevel()), Plain.VocabularySize + 100));

    [Fact]
    public void Another_spelling_is_named_with_its_id()
    {
        var file = TinyTokenizer.ByteLevel();
        var vocabulary = file["model"]!["vocab"]!.AsObject();
        (vocabulary["x"], vocabulary["y"]) = ((int)'y', (int)'x');
        var difference = TokenizerComparison.FirstDifference(Plain, TinyTokenizer.Load(file), Plain.VocabularySize);
        Assert.Contains("token 120 ", difference, StringComparison.Ordinal);
        Assert.Contains("'x'", difference, StringComparison.Ordinal);
        Assert.Contains("'y'", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_only_one_has_is_a_difference_within_the_models_width()
    {
        var longer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<pad>", "special"));
        var width = longer.VocabularySize;
        foreach (var difference in new[]
                 {
                     TokenizerComparison.FirstDifference(Plain, longer, width),
                     TokenizerComparison.FirstDifference(longer, Plain, width),
                 })
        {
            Assert.Contains($"token {width - 1} ", difference, StringComparison.Ordinal);
            Assert.Contains("'<pad>'", difference, StringComparison.Ordinal);
            Assert.Contains("no token", difference, StringComparison.Ordinal);
        }
        Assert.Null(TokenizerComparison.FirstDifference(Plain, longer, width - 1));
    }

    [Fact]
    public void A_token_that_is_special_in_one_only_is_a_difference()
    {
        var special = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<tool>", "special"));
        var ordinary = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<tool>", ""));
        var difference = TokenizerComparison.FirstDifference(special, ordinary, special.VocabularySize);
        Assert.Contains("'<tool>', is special in the reference model's tokenizer but not special", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_stands_for_other_bytes_is_a_difference()
    {
        var file = TinyTokenizer.ByteLevel();
        file["decoder"]!["type"] = "Fuse";
        file["decoder"]!.AsObject().Remove("add_prefix_space");
        file["decoder"]!.AsObject().Remove("trim_offsets");
        file["decoder"]!.AsObject().Remove("use_regex");
        var difference = TokenizerComparison.FirstDifference(Plain, TinyTokenizer.Load(file), Plain.VocabularySize);
        Assert.Contains("token 0, 'Ā', stands for the bytes 00 ", difference, StringComparison.Ordinal);
        Assert.Contains("C480", difference, StringComparison.Ordinal);
    }
}
