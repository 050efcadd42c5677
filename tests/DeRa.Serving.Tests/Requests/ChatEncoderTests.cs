using System.Text.Json.Nodes;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Text;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Requests;

public sealed class ChatEncoderTests
{
    private const string Turns = "{{ bos_token }}{% for m in messages %}<|a|>{{ m.content|trim }}<|b|>{% endfor %}";

    private static readonly ITokenizer Tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel()
        .WithAddedToken("<|a|>", "special").WithAddedToken("<|b|>", "special").WithAddedToken("a|>", "special"));

    [Fact]
    public void The_template_s_tokens_are_read_and_BOS_comes_once() =>
        Assert.Equal("<s> <|a|> x <|b|> <|a|> the <|b|>", Encode(Turns, " x ", "the\n"));

    [Theory]
    [InlineData("<|b|>", "< | b | >")]
    [InlineData(" <|b|><|a|>", "< | b | > < | a | >")]
    [InlineData("<s>", "< s >")]
    [InlineData("a|>a|>", "a | > a | >")]
    [InlineData("<|b|>\uFDD0\uFDD1<|b|>", "< | b | > ï ·")]
    public void What_a_user_wrote_never_becomes_a_control_token(string content, string tokens)
    {
        var ids = Encode(Turns, content);
        Assert.StartsWith($"<s> <|a|> {tokens}", ids, StringComparison.Ordinal);
        Assert.Equal(["<s>", "<|a|>", "<|b|>"], Ids(Turns, content).Where(Tokenizer.IsSpecial).Select(Tokenizer.GetToken));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("A")]
    [InlineData("x|><|b")]
    public void A_role_never_makes_a_control_token(string role)
    {
        var ids = Encoder(Tokenizer, "{% for m in messages %}<|a|>{{ '<|' ~ m.role|lower ~ '|>' }}{% endfor %}")
            .Encode(new ChatPrompt([new ChatMessage(role, "x")]));
        Assert.Equal(["<|a|>"], ids.Where(Tokenizer.IsSpecial).Select(Tokenizer.GetToken));
        Assert.Equal($"<|a|><|{role.ToLowerInvariant()}|>", Tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    [Fact]
    public void A_role_that_templates_know_may_make_one()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("<|user|>", "special"));
        var ids = Encoder(tokenizer, "{{ '<|' ~ messages[0].role ~ '|>' }}").Encode(new ChatPrompt([new ChatMessage("user", "x")]));
        Assert.Equal("<|user|>", tokenizer.GetToken(Assert.Single(ids)));
    }

    [Fact]
    public void A_control_token_of_one_character_is_not_made_of_a_user_s_text()
    {
        var tokenizer = TinyTokenizer.Load(TinyTokenizer.ByteLevel().WithAddedToken("\u2603", "special"));
        var ids = Encoder(tokenizer, "\u2603{{ messages[0].content }}\u2603")
            .Encode(new ChatPrompt([new ChatMessage("user", "\u2603a\u2603")]));
        Assert.Equal("\u2603\u2603a\u2603\u2603", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Equal(2, ids.Count(tokenizer.IsSpecial));
    }

    [Fact]
    public void A_template_that_changes_letters_makes_no_control_token_of_a_user_s_text() => Assert.Equal(
        ["<|a|>"], Ids("<|a|>{{ messages[0].content|lower }}", "<|B|><S>").Where(Tokenizer.IsSpecial).Select(Tokenizer.GetToken));

    /// <summary>The normalizer makes &lt; of its wide form, and ▁ of a space.</summary>
    [Theory]
    [InlineData("<e>", "\uFF1Ce\uFF1E", "NFKC")]
    [InlineData("<e>", "<e\uFF1E <e> \uFF1C\uFF1Ce\uFF1E", "NFKC")]
    [InlineData("<a b>", "<a\u2581b>", "")]
    public void A_user_s_text_is_no_control_token_in_normalized_form_either(string special, string content, string form)
    {
        var json = TinyTokenizer.ByteFallback().WithAddedToken(special, "special normalized");
        if (form.Length > 0) json["normalizer"] = new JsonObject { ["type"] = form };
        var tokenizer = TinyTokenizer.Load(json);
        var ids = Encoder(tokenizer, special + " {{ messages[0].content }} " + special)
            .Encode(new ChatPrompt([new ChatMessage("user", content)]));
        Assert.Equal([special, special], ids.Select(tokenizer.GetToken).Where(token => token == special));
    }

    [Fact]
    public void A_user_s_text_stays_what_it_was_but_for_the_tokens()
    {
        const string Content = "<|b|> \uFDD0 <s>é";
        var ids = Ids(Turns, Content);
        Assert.Equal($"<s><|a|>{Content}<|b|>", Tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    [Fact]
    public void A_text_that_holds_every_mark_is_encoded_all_the_same()
    {
        var marks = string.Concat(Enumerable.Range(0xFDD0, 32).Select(code => (char)code));
        var ids = Ids(Turns, marks + "<|b|>");
        Assert.Equal($"<s><|a|>\uFFFD{marks[1..]}<|b|><|b|>", Tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Single(ids, id => Tokenizer.GetToken(id) == "<|b|>");
    }

    [Fact]
    public void Marks_stay_invisible_in_what_templates_make_of_a_text() => Assert.Equal(
        "<s>{\"c\": \"<|a|>\"}['<|a|>']<|A|>",
        Tokenizer.Decode(Ids("{{ bos_token }}{% set c = messages[0].content %}"
            + "{{ {'c': c}|tojson(ensure_ascii=true) }}{{ [c] }}{{ c|upper }}", "<|a|>"), skipSpecialTokens: false));

    [Fact]
    public void What_the_template_raises_and_what_fails_in_it_are_the_sender_s_errors()
    {
        Assert.Equal("Be kind!", Assert.Throws<InvalidRequestException>(() => Ids("{{ raise_exception('Be kind!') }}", "x")).Message);
        var failed = Assert.Throws<InvalidRequestException>(() => Ids("{{ messages[0].nothing.more }}", "x"));
        Assert.Equal("messages", failed.Field);
        Assert.Contains("line 1", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("the", "<s> <|a|> the")]
    [InlineData(" the ", "<s> <|a|> the")]
    [InlineData("<|b|>", "<s> <|a|> < | b | >")]
    public void The_last_message_is_left_open_where_it_goes_on(string content, string tokens) =>
        Assert.Equal(tokens, Encode(Prompt(content) with { ContinueFinalMessage = true }, Turns));

    [Fact]
    public void What_the_template_does_not_write_as_it_is_cannot_go_on()
    {
        var refused = Assert.Throws<InvalidRequestException>(
            () => Encode(Prompt("the") with { ContinueFinalMessage = true }, "{{ messages[0].content|upper }}"));
        Assert.Equal("continue_final_message", refused.Field);
    }

    [Fact]
    public void Variables_reach_the_template_and_are_a_users_text()
    {
        const string template = "{{ bos_token }}{{ x.y[0] }}{% if add_generation_prompt %}<|a|>{% endif %}";
        var prompt = Prompt("the") with { Variables = JsonNode.Parse("""{"x":{"y":["<|b|>"]}}""")!.AsObject() };
        Assert.Equal("<s> < | b | > <|a|>", Encode(prompt, template));
        Assert.Equal("<s> < | b | >", Encode(prompt with { AddGenerationPrompt = false }, template));
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("tools")]
    [InlineData("add_generation_prompt")]
    [InlineData("bos_token")]
    public void What_has_a_field_of_its_own_is_no_variable(string name)
    {
        var prompt = Prompt("the") with { Variables = new JsonObject { [name] = "x" } };
        Assert.Equal($"chat_template_kwargs.{name}", Assert.Throws<InvalidRequestException>(() => Encode(prompt, Turns)).Field);
    }

    [Fact]
    public void Variables_are_bounded()
    {
        var many = new JsonObject(Enumerable.Range(0, 65).Select(i => KeyValuePair.Create($"v{i}", (JsonNode?)null)));
        Assert.Contains("at most 64", Assert.Throws<InvalidRequestException>(
            () => Encode(Prompt("the") with { Variables = many }, Turns)).Message, StringComparison.Ordinal);
        JsonObject Named(int characters) => new() { [new string('n', characters)] = 1 };
        Assert.NotEmpty(Encode(Prompt("the") with { Variables = Named(256) }, Turns));
        var refused = Assert.Throws<InvalidRequestException>(() => Encode(Prompt("the") with { Variables = Named(257) }, Turns));
        Assert.Equal("chat_template_kwargs", refused.Field);
        Assert.Contains("a name of 257 characters; at most 256", refused.Message, StringComparison.Ordinal);
    }

    private static ChatPrompt Prompt(params string[] contents) =>
        new([.. contents.Select(content => new ChatMessage("user", content))]);

    private static string Encode(ChatPrompt prompt, string template) => string.Join(' ', Ids(template, prompt).Select(Tokenizer.GetToken));

    private static string Encode(string template, params string[] contents) =>
        string.Join(' ', Ids(template, contents).Select(Tokenizer.GetToken));

    private static IReadOnlyList<int> Ids(string template, params string[] contents) => Ids(template, Prompt(contents));

    private static IReadOnlyList<int> Ids(string template, ChatPrompt prompt) => Encoder(Tokenizer, template).Encode(prompt);

    private static ChatEncoder Encoder(ITokenizer tokenizer, string template)
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", template);
        folder.Write("tokenizer_config.json", """{ "bos_token": "<s>" }""");
        return new ChatEncoder(tokenizer, ChatTemplate.Load(folder.Path, TimeProvider.System));
    }
}
