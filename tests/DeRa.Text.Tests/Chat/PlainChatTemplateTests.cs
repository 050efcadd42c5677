using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Text.Tests.Chat;

public sealed class PlainChatTemplateTests
{
    [Fact]
    public void Turns_become_labelled_paragraphs_and_the_answer_follows() =>
        Assert.Equal(
            "System: Be brief.\n\nUser: Hello\n\nAssistant: Hi.\n\nUser: Bye\n\nAssistant:",
            PlainChatTemplate.Render(
            [
                new ChatMessage("system", "Be brief."), new ChatMessage("user", "Hello"),
                new ChatMessage("assistant", "Hi."), new ChatMessage("user", "Bye"),
            ]));

    [Fact]
    public void A_role_that_nobody_knows_and_an_empty_conversation_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(
            () => PlainChatTemplate.Render([new ChatMessage("user", ""), new ChatMessage("wizard", "")]));
        Assert.Contains("messages[1].role", error.Message, StringComparison.Ordinal);
        Assert.Contains("'wizard'", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => PlainChatTemplate.Render([]));
    }
}
