using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryRequestsTests
{
    private const string Story = "The dog had a ball. He lost the ball, and the dog was sad. An owl sat on a tree.";

    [Fact]
    public void Somebody_asks_for_what_the_story_tells_of_most()
    {
        var chats = Enumerable.Range(0, 200).Select(seed => StoryRequests.For(Story, new Random(seed))!).ToArray();
        Assert.All(chats, chat =>
        {
            Assert.StartsWith("User: ", chat.Prompt);
            Assert.EndsWith("\n\nAssistant:", chat.Prompt);
            Assert.Equal(" " + Story, chat.Text);
            Assert.Matches("a dog|a ball", chat.Prompt);
            Assert.DoesNotContain("owl", chat.Prompt);
        });
        Assert.Contains(chats, chat => chat.Prompt.Contains("a dog and a ball", StringComparison.Ordinal));
        Assert.True(chats.Select(chat => chat.Prompt).Distinct().Count() > 10, "the requests are all alike");
    }

    [Fact]
    public void The_source_decides_the_request() =>
        Assert.Equal(StoryRequests.For(Story, new Random(3)), StoryRequests.For(Story, new Random(3)));

    [Fact]
    public void A_story_of_no_thing_gets_no_request() => Assert.Null(StoryRequests.For("It rained. Then it snowed.", new Random(1)));
}
