using DeRa.Testing;
using Xunit;

namespace DeRa.Text.Tests;

public sealed class TextBoundaryTests
{
    private static readonly ITokenizer Tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel()
        .WithAddedToken("<|a|>", "special").WithAddedToken("<|a|><|b|>", "special").WithAddedToken("a|>", "special")
        .WithAddedToken("<t>", ""));

    [Theory]
    [InlineData("x<|a|>y", new int[0], "x <|a|> y")]
    [InlineData("x<|a|>y", new[] { 1, 6 }, "x <|a|> y")]
    [InlineData("x<|a|>y", new[] { 5 }, "x < | a | > y")]
    [InlineData("x<|a|>y", new[] { 2 }, "x < | a|> y")]
    [InlineData("<|a|><|b|>", new[] { 5 }, "<|a|> < | b | >")]
    [InlineData("<|a|><|a|><|a|>", new[] { 5, 6, 9, 10 }, "<|a|> < | a | > <|a|>")]
    [InlineData("x<t>y", new[] { 2, 3 }, "x <t> y")]
    [InlineData("the the", new[] { 1, 2, 3, 4, 5, 6 }, "the Ġthe")]
    public void No_special_token_is_read_across_a_boundary_and_nothing_else_changes(string text, int[] boundaries, string expected)
    {
        var ids = Tokenizer.Encode(text, addSpecialTokens: false, boundaries);
        Assert.Equal(expected.Split(' '), ids.Select(Tokenizer.GetToken));
        Assert.Equal(text, Tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    /// <summary>The normalizer puts ▁ before the text and before the tokens, which the space before them then fills.</summary>
    [Theory]
    [InlineData("<|a b|>c", new int[0], "[<|a b|>]c")]
    [InlineData("c <|a b|>c <e>", new[] { 1, 9, 11 }, "c[<|a b|>]c[<e>]")]
    [InlineData("c <|a b|> <|a b|>", new[] { 5 }, "c <|a b|>[<|a b|>]")]
    [InlineData("c <|a b|> <|a b|>\uE000 <e> <e>", new[] { 5, 21 }, "c <|a b|>[<|a b|>]\uE000 <e>[<e>]")]
    public void A_boundary_keeps_its_place_where_normalization_moves_the_text(string text, int[] boundaries, string expected)
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteFallback()
            .WithAddedToken("<|a b|>", "special normalized").WithAddedToken("<e>", "special normalized"));
        var ids = tokenizer.Encode(text, addSpecialTokens: false, boundaries);
        var decoder = tokenizer.CreateDecoder(continuesText: false);
        Assert.Equal(expected,
            string.Concat(ids.Select(id => tokenizer.IsSpecial(id) ? $"[{tokenizer.GetToken(id)}]" : decoder.Append(id))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(2, 2)]
    [InlineData(2, 1)]
    public void Boundaries_outside_the_text_or_out_of_order_are_refused(params int[] boundaries) =>
        Assert.Throws<ArgumentException>(() => Tokenizer.Encode("abc", addSpecialTokens: false, boundaries));
}
