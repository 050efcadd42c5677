using System.Text.Json;
using DeRa.Lab.Tokenizers;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Lab.Tests.Tokenizers;

public sealed class PlainChatJinjaTests
{
    private static readonly JsonElement Golden = GoldenFiles.Json("chat_template.json");

    [Fact]
    public void The_template_is_the_one_that_the_expectations_were_rendered_from() =>
        Assert.Equal(PlainChatJinja.Text, Golden.GetProperty("template").GetString());

    [Fact]
    public void The_template_renders_what_the_plain_template_renders()
    {
        var cases = Golden.GetProperty("cases").EnumerateArray().ToList();
        Assert.Equal(10, cases.Count);
        foreach (var item in cases)
        {
            var plain = PlainChatTemplate.Render([.. item.GetProperty("messages").EnumerateArray().Select(Message)]);
            var withPrompt = item.GetProperty("add_generation_prompt").GetBoolean();
            Assert.Equal("<|endoftext|>" + (withPrompt ? plain : plain[..^"Assistant:".Length]), item.GetProperty("rendered").GetString());
        }
    }

    private static ChatMessage Message(JsonElement message) =>
        new(message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!);
}
