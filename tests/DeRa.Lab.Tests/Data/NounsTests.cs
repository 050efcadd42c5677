using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class NounsTests
{
    private static readonly Nouns s_nouns = Nouns.Learn([.. Enumerable.Repeat(
        "There was a dog. The dog and an owl saw a big tree. The tree was in the sky. An owl likes water. The water in the sky was "
        + "cold, and the other birds drank water. His birds sang of the very big sky. Birds, birds and birds flew. "
        + "Birds ran, and birds sat. Tom and the birds ran, and the mom of an owl was "
        + "happy. She ran.", 6)]);

    [Theory]
    [InlineData("dog", "a dog")]
    [InlineData("owl", "an owl")]
    [InlineData("tree", "a tree")]
    [InlineData("sky", "the sky")]
    [InlineData("water", "water")]
    [InlineData("birds", "birds")]
    public void A_noun_comes_with_its_article(string noun, string phrase) => Assert.Equal(phrase, s_nouns.Phrase(noun));

    [Theory]
    [InlineData("very")]
    [InlineData("big")]
    [InlineData("other")]
    [InlineData("was")]
    [InlineData("mom")]
    [InlineData("Tom")]
    [InlineData("unseen")]
    public void Other_words_are_none(string word) => Assert.Null(s_nouns.Phrase(word));

    [Fact]
    public void A_story_is_about_what_it_says_often_and_few_others_say()
    {
        var nouns = Nouns.Learn(
            [.. Enumerable.Repeat("The dog saw a dog. A tree was in the tree.", 8), "A tree. The tree. The dog. A dog. A dog."]);
        Assert.Equal(["dog", "tree"], nouns.Of("A dog sat. The tree and the tree. The dog, the dog and an owl."));
        var rare = Nouns.Learn([.. Enumerable.Repeat("A tree.", 20), .. Enumerable.Repeat("A dog and a tree.", 6)]);
        Assert.Equal(["dog", "tree"], rare.Of("The tree, the tree and the tree saw the dog. A dog."));
    }
}
