using System.Text.Json.Nodes;
using DeRa.Engine.Text;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests.Text;

public sealed class ChatTemplateTests
{
    private static readonly JsonArray Messages = [new JsonObject { ["role"] = "user", ["content"] = "Hi" }];

    [Fact]
    public void A_folder_without_template_has_none()
    {
        Assert.Null(Load([]));
        Assert.Null(Load(("tokenizer_config.json", """{ "chat_template": null }""")));
    }

    [Fact]
    public void The_file_of_its_own_goes_before_the_configuration_and_that_before_the_legacy_file()
    {
        (string, string) jinja = ("chat_template.jinja", "1"), config = ("tokenizer_config.json", """{ "chat_template": "2" }"""),
            legacy = ("chat_template.json", """{ "chat_template": "3" }""");
        Assert.Equal("1", Load(jinja, config, legacy)!.Render(Messages));
        Assert.Equal("2", Load(config, legacy)!.Render(Messages));
        Assert.Equal("3", Load(legacy)!.Render(Messages));
    }

    [Fact]
    public void Of_several_templates_the_one_for_tools_is_used_where_there_are_tools()
    {
        var template = Load(("tokenizer_config.json", """
            { "chat_template": [
                { "name": "default", "template": "plain" }, { "name": "tool_use", "template": "{{ tools|length }} tools" } ] }
            """))!;
        Assert.Equal("plain", template.Render(Messages));
        Assert.Equal("1 tools", template.Render(Messages, [new JsonObject()]));
    }

    [Fact]
    public void Special_tokens_have_the_names_that_templates_use()
    {
        var template = Load(
            ("tokenizer_config.json", """{ "bos_token": { "content": "<s>" }, "eos_token": "</s>", "pad_token": null }"""),
            ("special_tokens_map.json", """{ "bos_token": "<not this>", "unk_token": "<unk>" }"""),
            ("chat_template.jinja", "{{ bos_token }}{{ eos_token }}{{ unk_token }}"
                + "{{ pad_token is defined }}{{ tools is none }}{{ add_generation_prompt }}"))!;
        Assert.Equal("<s></s><unk>FalseTrueTrue", template.Render(Messages));
    }

    [Fact]
    public void A_template_that_cannot_be_read_says_so_when_it_is_used()
    {
        var template = Load(("chat_template.jinja", "\n{{ x|shout }}"))!;
        Assert.Equal(2, template.Fault!.Line);
        Assert.Contains("'shout'", Assert.Throws<ChatTemplateException>(() => template.Render(Messages)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "chat_template": 7 }""", "chat_template")]
    [InlineData("""{ "chat_template": [ { "name": "rag", "template": "" } ] }""", "rag")]
    [InlineData("""{ "chat_template": [ { "template": "" } ] }""", "name")]
    [InlineData("""{ "chat_template": [ { "name": "default", "template": "" }, { "name": "default", "template": "" } ] }""", "[1].name")]
    public void A_malformed_file_is_refused_by_file_and_field(string config, string named)
    {
        var error = Assert.Throws<TokenizerException>(() => Load(("tokenizer_config.json", config)));
        Assert.Contains("tokenizer_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_UTF_8_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Write("chat_template.jinja", ""), [(byte)'a', 0xE9, (byte)'b']);
        var error = Assert.Throws<TokenizerException>(() => ChatTemplate.Load(folder.Path, TimeProvider.System));
        Assert.Contains("chat_template.jinja", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_and_other_line_ends_change_nothing() =>
        Assert.Equal("a\nb", Load(("chat_template.jinja", "\uFEFF{% if true %}\r\na\r\n{% endif %}\r\nb\r\n"))!.Render(Messages));

    private static ChatTemplate? Load(params (string Name, string Content)[] files)
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, content) in files) folder.Write(name, content);
        return ChatTemplate.Load(folder.Path, TimeProvider.System);
    }
}
