using System.Text.RegularExpressions;
using DeRa.Lab.Evaluation;
using Xunit;

namespace DeRa.Lab.Tests.Evaluation;

public sealed class ShuffledSamplesTests
{
    private static readonly string[] s_first = [.. Enumerable.Range(0, 10).Select(i => $"A{i}")];
    private static readonly string[] s_second = [.. Enumerable.Range(0, 10).Select(i => $"B{i}")];

    [Fact]
    public void All_texts_are_there_once_and_the_key_tells_whose_they_are()
    {
        var markdown = new ShuffledSamples(s_first, s_second, seed: 1).ToMarkdown();
        var texts = Regex.Matches(markdown, @"^(\d+)\.\n\n> ([AB]\d)$", RegexOptions.Multiline)
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal([.. s_first, .. s_second], texts.Values.Order(StringComparer.Ordinal));
        var key = Regex.Match(markdown, @"Key: the first pair wrote ([\d, ]+); the second ([\d, ]+)\.\n$");
        Assert.All(key.Groups[1].Value.Split(", "), number => Assert.StartsWith("A", texts[number]));
        Assert.All(key.Groups[2].Value.Split(", "), number => Assert.StartsWith("B", texts[number]));
        Assert.Equal(20, key.Groups[1].Value.Split(", ").Length + key.Groups[2].Value.Split(", ").Length);
    }

    [Fact]
    public void The_seed_decides_the_order()
    {
        string Of(long seed) => new ShuffledSamples(s_first, s_second, seed).ToMarkdown();
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
    }

    [Fact]
    public void Lines_become_paragraphs_and_signs_of_Markdown_lose_their_meaning() => Assert.StartsWith(
        "1.\n\n> One \\*star\\* \\<b\\>\n>\n> \\# Two\n>\n> Three\n\n",
        new ShuffledSamples([" One *star* <b>\r\n\r\n# Two\nThree\n"], [], seed: 1).ToMarkdown());
}
