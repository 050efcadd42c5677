using System.Text.RegularExpressions;
using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed partial class StoryRequestsTests
{
    private const string Story = "A little girl named Lily was sad. She cried because her ball was lost. The ball was in a tree. "
        + "\"My ball!\" said Lily. An owl sat on a branch and looked down at the girl for a while, and then it flew up to the top of "
        + "the tree. Tom saw Lily. Then Tom and Lily laughed and smiled at the owl with Tom. They hugged and played with joy.";

    private static readonly StoryRequests s_requests = new(Nouns.Learn([.. Enumerable.Repeat(
        "A girl and a ball. The girl saw the ball. A tree was with the tree. An owl and the owl.", 6), Story]));

    private static readonly Document[] s_chats = [.. Enumerable.Range(0, 600).Select(seed => s_requests.For(Story, new Random(seed)))];

    [Fact]
    public void Somebody_asks_for_what_is_in_the_story()
    {
        Assert.All(s_chats, chat =>
        {
            Assert.Matches(Form(), chat.Prompt);
            Assert.Equal(Story, chat.Text);
            Assert.DoesNotContain("ends sadly", chat.Prompt, StringComparison.Ordinal);
            Assert.DoesNotContain("sad ending", chat.Prompt, StringComparison.Ordinal);
            Assert.DoesNotContain("  ", chat.Prompt, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("Write a story about a ball")]
    [InlineData("a story about a little girl named Lily")]
    [InlineData("a story about a girl named Lily")]
    [InlineData("a story about Tom and Lily")]
    [InlineData(" and a ball")]
    [InlineData("with a sad beginning")]
    [InlineData("with a sad beginning and a happy ending")]
    [InlineData("a short story")]
    [InlineData("Tell me a story with a sad beginning")]
    [InlineData("\nwrite a ")]
    [InlineData("?<")]
    [InlineData(", please<")]
    [InlineData("<|system|>\nYou are a helpful assistant.<|endoftext|>\n<|user|>")]
    public void They_ask_in_many_ways(string part) =>
        Assert.Contains(s_chats, chat => chat.Prompt.Contains(part, StringComparison.Ordinal));

    [Fact]
    public void Most_requests_differ() => Assert.InRange(s_chats.Select(chat => chat.Prompt).Distinct().Count(), 200, 600);

    [Fact]
    public void The_source_decides_the_request() =>
        Assert.Equal(s_requests.For(Story, new Random(3)), s_requests.For(Story, new Random(3)));

    [Fact]
    public void A_story_of_nothing_known_is_asked_for_without_saying_what_about() =>
        Assert.All(Enumerable.Range(0, 50), seed => Assert.DoesNotContain(
            "about", s_requests.For("It rained. Then it snowed.", new Random(seed)).Prompt, StringComparison.Ordinal));

    [GeneratedRegex(@"^(?:<\|system\|>\n[^<\n]+\.<\|endoftext\|>\n)?<\|user\|>\n[^<\n]+<\|endoftext\|>\n<\|assistant\|>\n$")]
    private static partial Regex Form();
}
