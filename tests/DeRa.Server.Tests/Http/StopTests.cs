using System.Text.Json;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>What ends a text, and what it ends with.</summary>
public class StopTests
{
    private static string TokenIds(Reply reply) => reply.Choice().GetProperty("token_ids").GetRawText();

    [Theory]
    [InlineData("", "hel", "stop")]
    [InlineData(",\"include_stop_str_in_output\":true", "hello", "stop")]
    [InlineData(",\"min_tokens\":5", "hello world", "stop")]
    [InlineData(",\"min_tokens\":4", "hel", "stop")]
    [InlineData(",\"min_tokens\":5,\"include_stop_str_in_output\":true", "hello world", "stop")]
    public async Task Stop_strings_end_the_text_after_min_tokens_and_are_part_of_it_where_asked(string fields, string text, string reason)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello world"));
        foreach (var stream in (string[])["false", "true"])
        {
            var reply = await server.CompleteAsync($$"""{"prompt":"a","stop":"lo","stream":{{stream}}{{fields}}}""");
            var choices = stream == "true" ? reply.Events().Select(e => e.GetProperty("choices")[0]).ToList() : [reply.Choice()];
            Assert.Equal(text, string.Concat(choices.Select(choice => choice.GetProperty("text").GetString())));
            Assert.Equal(reason, choices[^1].GetProperty("finish_reason").GetString());
        }
    }

    [Theory]
    [InlineData("", "hell")]
    [InlineData(",\"include_stop_str_in_output\":true", "hello")]
    public async Task A_stop_token_ends_the_text_and_is_among_the_tokens(string fields, string text)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello, world"));
        var reply = await server.CompleteAsync($$"""{"prompt":"a","stop_token_ids":[111],"return_token_ids":true{{fields}}}""");
        Assert.Equal(text, reply.Text());
        Assert.Equal("[104,101,108,108,111]", TokenIds(reply));
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
    }

    [Theory]
    [InlineData("\"stop\":\"<s>\"", "hello", "<s>")]
    [InlineData("\"stop\":[\"<s>\\n\"]", "hello", "<s>\n")]
    [InlineData("\"stop\":[\"lo<s>\\n<s>\",\"<s>b\"]", "hel", "lo<s>\n<s>")]
    [InlineData("\"stop\":\"<s>\",\"include_stop_str_in_output\":true", "hello<s>", "<s>")]
    [InlineData("\"stop\":\"<s>\",\"min_tokens\":6", "hello\n", "<s>")]
    [InlineData("\"stop\":\"</s>\",\"ignore_eos\":true", "hello\nbye", "</s>")]
    public async Task A_special_token_that_a_stop_string_spells_ends_the_answer_over_every_endpoint(string fields, string text, string stop)
    {
        int[] tokens = [.. "hello"u8.ToArray(), ByteTokenizer.Bos, '\n', ByteTokenizer.Bos, .. "bye"u8.ToArray(), ByteTokenizer.Eos];
        var executor = new ScriptedExecutor { Script = Scripts.Script(tokens) };
        await using var server = await ServerFixture.StartAsync(executor);
        foreach (var stream in (string[])["false", "true"])
        {
            var asked = $"\"max_tokens\":12,\"stream\":{stream},{fields}";
            var completion = await server.CompleteAsync($$"""{"prompt":"a",{{asked}}}""");
            var chat = await server.ChatAsync($$"""{"messages":[{"role":"user","content":"a"}],{{asked}}}""");
            foreach (var reply in (Reply[])[completion, chat])
            {
                var choices = stream == "true" ? reply.Events().Select(e => e.GetProperty("choices")[0]).ToList() : [reply.Choice()];
                Assert.Equal(text, string.Concat(choices.Select(Text)));
                Assert.Equal(("stop", stop),
                    (choices[^1].GetProperty("finish_reason").GetString(), choices[^1].GetProperty("stop_reason").GetString()));
            }
        }

        static string? Text(JsonElement choice) => choice.TryGetProperty("text", out var text) ? text.GetString()
            : (choice.TryGetProperty("delta", out var delta) ? delta : choice.GetProperty("message"))
                .TryGetProperty("content", out var content)
                ? content.GetString() : null;
    }

    [Theory]
    [InlineData("\"stop\":[\"xx\",\"lo\"]", "\"lo\"")]
    [InlineData("\"stop_token_ids\":[5,111]", "111")]
    [InlineData("\"stop_token_ids\":[257]", "null")] // An end-of-sequence token ends it anyhow.
    [InlineData("\"stop_token_ids\":[257],\"ignore_eos\":true", "257")]
    [InlineData("\"max_tokens\":2,\"stop_token_ids\":[111]", "null")]
    public async Task An_answer_tells_which_stop_ended_it(string fields, string expected)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello, world"));
        const string chat = """
            "messages":[{"role":"user","content":"a"}]
            """;
        Assert.Equal(expected, Reason((await server.CompleteAsync($$"""{"prompt":"a",{{fields}}}""")).Choice()));
        Assert.Equal(expected, Reason((await server.ChatAsync($$"""{{{chat}},{{fields}}}""")).Choice()));
        Assert.Equal(expected, Last(await server.CompleteAsync($$"""{"prompt":"a","stream":true,{{fields}}}""")));
        Assert.Equal(expected, Last(await server.ChatAsync($$"""{{{chat}},"stream":true,{{fields}}}""")));

        static string Last(Reply reply) => Reason(reply.Events()[^1].GetProperty("choices")[0]);
        static string Reason(JsonElement choice) => choice.GetProperty("stop_reason").GetRawText();
    }

    [Fact]
    public async Task No_end_is_sampled_before_min_tokens()
    {
        await using var server = await ServerFixture.StartAsync();
        const string always =
            "\"prompt\":\"a\",\"max_tokens\":12,\"return_token_ids\":true,\"logit_bias\":{\"257\":100,\"65\":100},\"stop_token_ids\":[65]";
        async Task<int[]> Tokens(string more) => [.. (await server.CompleteAsync("{" + always + more + "}"))
            .Choice().GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32())];
        Assert.Single(await Tokens(""));
        foreach (var more in (string[])[",\"min_tokens\":7", ",\"min_tokens\":7,\"stream\":false,\"temperature\":0"])
        {
            var tokens = await Tokens(more);
            Assert.Equal(8, tokens.Length);
            Assert.DoesNotContain(tokens[..7], token => token is 257 or 65);
        }
        Assert.Equal(12, (await Tokens(",\"min_tokens\":12,\"ignore_eos\":true")).Length);
    }
}
