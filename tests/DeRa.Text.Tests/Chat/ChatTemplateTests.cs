using System.Text;
using System.Text.Json.Nodes;
using DeRa.Testing;
using DeRa.Text.Chat;
using DeRa.Text.Templates.Values;
using Xunit;

namespace DeRa.Text.Tests.Chat;

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
    public void An_empty_template_is_none_and_the_next_file_counts()
    {
        Assert.Null(Load(("chat_template.jinja", ""), ("tokenizer_config.json", """{ "chat_template": "" }"""),
            ("chat_template.json", """{ "chat_template": "" }""")));
        Assert.Null(Load(("tokenizer_config.json", """{ "chat_template": { "default": "" } }""")));
        Assert.Equal("2", Load(("chat_template.jinja", ""), ("tokenizer_config.json", """{ "chat_template": "2" }"""))!.Render(Messages));
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

    [Theory]
    [InlineData("""[ { "name": "default", "template": "plain" }, { "name": "tool_use", "template": "{{ tools|length }} tools" } ]""")]
    [InlineData("""{ "default": "plain", "tool_use": "{{ tools|length }} tools", "rag": "{{" }""")]
    public void Of_several_templates_the_one_for_tools_is_used_where_there_are_tools(string templates)
    {
        var template = Load(("tokenizer_config.json", $$"""{ "chat_template": {{templates}} }"""))!;
        Assert.Null(template.Fault);
        Assert.Equal("plain", template.Render(Messages));
        Assert.Equal("1 tools", template.Render(Messages, [new JsonObject()]));
    }

    [Fact]
    public void Special_tokens_have_the_names_that_templates_use()
    {
        var template = Load(
            ("tokenizer_config.json", """{ "bos_token": { "content": "<s>" }, "eos_token": "</s>", "pad_token": null }"""),
            ("special_tokens_map.json", """{ "bos_token": { "content": "<s>" }, "unk_token": "<unk>" }"""),
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
    [InlineData("tokenizer_config.json", """{ "chat_template": 7 }""",
        "chat_template must be a text, a list of named templates or an object")]
    [InlineData("tokenizer_config.json", """{ "chat_template": true }""", "chat_template must be a text")]
    [InlineData("tokenizer_config.json", """{ "chat_template": {} }""", "no template named 'default'")]
    [InlineData("tokenizer_config.json", """{ "chat_template": { "rag": "x" } }""", "'default' (it has rag)")]
    [InlineData("tokenizer_config.json", """{ "chat_template": { "default": ["x"] } }""", "chat_template.default must be a text")]
    [InlineData("tokenizer_config.json", """{ "chat_template": [] }""", "no template named 'default'")]
    [InlineData("tokenizer_config.json", """{ "chat_template": ["x"] }""", "chat_template[0] must be an object")]
    [InlineData("tokenizer_config.json", """{ "chat_template": [ { "name": "rag", "template": "" } ] }""", "'default' (it has rag)")]
    [InlineData("tokenizer_config.json", """{ "chat_template": [ { "template": "" } ] }""", "chat_template[0] has no field 'name'")]
    [InlineData("tokenizer_config.json", """{ "chat_template": [ { "name": "default" } ] }""", "chat_template[0] has no field 'template'")]
    [InlineData("chat_template.json", """{ "chat_template": [7] }""", "chat_template[0] must be an object")]
    [InlineData("chat_template.json", "{{ messages }}", "cannot be read as JSON")]
    [InlineData("chat_template.json", "", "cannot be read as JSON")]
    [InlineData("chat_template.jinja", "caf\u00E9", "cannot be read")] // Written in Latin-1, not in UTF-8.
    [InlineData("chat_template.jinja", "{% if x %}", "")]
    public void A_template_that_cannot_be_used_is_a_fault_of_the_template_alone(string file, string content, string complaint)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, file), Encoding.Latin1.GetBytes(content));
        var template = ChatTemplate.Load(folder.Path, TimeProvider.System)!;
        Assert.Equal(Path.Combine(folder.Path, file), template.File);
        Assert.Contains(complaint, template.Fault!.Message, StringComparison.Ordinal);
        // Clients see it, and are not told where the folder lies.
        Assert.DoesNotContain(folder.Path, template.Fault.Message, StringComparison.Ordinal);
        Assert.Equal(template.Fault.Message, Assert.Throws<ChatTemplateException>(() => template.Render(Messages)).Message);
    }

    [Fact]
    public void Templates_receive_tool_calls_parts_and_names()
    {
        var template = Load(("chat_template.jinja", "{% for m in messages %}{{ m.role }}{% if m.name %} {{ m.name }}{% endif %}: "
            + "{% if m.content is string %}{{ m.content }}{% else %}"
            + "{% for p in m.content %}[{{ p.type }} {{ p.text }}]{% endfor %}{% endif %}"
            + "{% for c in m.tool_calls %}{{ c.id }} {{ c.type }} {{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}"
            + "{% if m.tool_call_id %} -> {{ m.tool_call_id }}{% endif %};{% endfor %}"))!;
        var call = new ToolCall("c1", "weather", new JsonObject
        {
            ["city"] = "Bern",
            ["days"] = new JsonArray(1, "two", null),
            ["unit"] = null,
        });
        ChatMessage[] messages =
        [
            new("user", [new ChatPart("In "), new ChatPart("Bern?")]) { Name = "alice" },
            new("assistant", "") { ToolCalls = [call, call with { Id = "c2", Arguments = [] }] },
            new("tool", "12 degrees") { ToolCallId = "c1" },
        ];
        Assert.Equal("In Bern?", messages[0].Content);
        Assert.Equal("user ALICE: [text IN ][text BERN?];"
            + "assistant: C1 function WEATHER{\"CITY\": \"BERN\", \"DAYS\": [1, \"TWO\", null], \"UNIT\": null}C2 function WEATHER{};"
            + "tool: 12 DEGREES -> C1;",
            template.Render(new JsonArray([.. messages.Select(message => message.ToJson(role => role, text => text.ToUpperInvariant()))])));
        Assert.Equal("Bern", (string?)call.Arguments["city"]);
    }

    [Fact]
    public void A_message_without_them_has_role_and_content_alone() =>
        Assert.Equal("{\"role\":\"user\",\"content\":\"Hi\"}",
            new ChatMessage("user", "Hi").ToJson(role => role, text => text).ToJsonString());

    [Fact]
    public void A_file_that_does_not_count_is_not_read() =>
        Assert.Null(Load(("chat_template.jinja", "1"), ("chat_template.json", "["))!.Fault);

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
