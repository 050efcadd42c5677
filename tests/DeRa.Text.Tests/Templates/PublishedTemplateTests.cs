using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Chat;
using DeRa.Text.Templates.Values;
using Xunit;

namespace DeRa.Text.Tests.Templates;

/// <summary>Templates as published with their models, against what the reference renderer makes of them.</summary>
public sealed class PublishedTemplateTests
{
    [Theory]
    [InlineData("Qwen-Qwen2.5-7B-Instruct", 20)]
    [InlineData("google-gemma-2-2b-it", 20)]
    [InlineData("meta-llama-Llama-3.1-8B-Instruct", 20)]
    [InlineData("microsoft-Phi-3.5-mini-instruct", 20)]
    public void Every_conversation_renders_or_fails_as_published(string name, int cases)
    {
        if (SharedData.Find("chat-templates") is not { } data)
        {
            Assert.Skip(SharedData.Missing);
            return;
        }
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(data, name + ".expected.json")))!.AsObject();
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(data, name + ".jinja"), Path.Combine(folder.Path, "chat_template.jinja"));
        folder.Write("tokenizer_config.json", new JsonObject
        {
            ["bos_token"] = expected["bos_token"]!.DeepClone(),
            ["eos_token"] = expected["eos_token"]!.DeepClone(),
        }.ToJsonString());
        var template = ChatTemplate.Load(folder.Path, TimeProvider.System)!;
        Assert.Null(template.Fault);
        var count = 0;
        foreach (var item in expected["cases"]!.AsArray())
        {
            Check(template, expected, item!.AsObject());
            count++;
        }
        Assert.Equal(cases, count);
    }

    private static void Check(ChatTemplate template, JsonObject expected, JsonObject item)
    {
        var messages = expected["conversations"]![item["name"]!.GetValue<string>()]!.AsArray();
        var tools = item["tools"]!.GetValue<bool>() ? expected["tools"]!.AsArray() : null;
        string Render() => template.Render(messages, tools, item["add_generation_prompt"]!.GetValue<bool>(),
            new JsonObject { ["date_string"] = expected["date_string"]!.DeepClone() });
        if (item["error"] is { } error)
            Assert.Equal(error.GetValue<string>(), Assert.Throws<ChatTemplateException>(() => Render()).Message);
        else
            Assert.Equal(item["rendered"]!.GetValue<string>(), Render());
    }
}
