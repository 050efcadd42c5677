using System.Text.Json;
using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>Each of the fields that vLLM names, alone.</summary>
public class FieldTests
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";

    private static string TokenIds(Reply reply, int index = 0) => reply.Choice(index).GetProperty("token_ids").GetRawText();

    private static double[] LogSoftmax(float[] logits) => ReferenceSampler.LogProbs(logits);

    private static List<int> PromptOf(ScriptedExecutor executor)
    {
        var tokens = new List<int>();
        executor.BeforeStep = plan => tokens.AddRange(plan.Rows().Where(row => row.Position == 0).SelectMany(row => row.Tokens.ToArray()));
        return tokens;
    }

    [Fact]
    public async Task Only_allowed_tokens_are_sampled_even_where_all_of_them_end_the_text()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync(
            """{"prompt":"a","max_tokens":40,"temperature":2,"allowed_token_ids":[65,66,67,66],"return_token_ids":true}""");
        Assert.Equal(["A", "B", "C"], reply.Text().Select(c => c.ToString()).Distinct().Order());
        var ends =
            await server.CompleteAsync(
            """{"prompt":"a","allowed_token_ids":[257],"min_tokens":5,"bad_words":["x"],"return_token_ids":true}""");
        Assert.Equal("[257]", TokenIds(ends));
        var words = await server.CompleteAsync("""{"prompt":"a","max_tokens":4,"allowed_token_ids":[65],"bad_words":["A"]}""");
        Assert.Equal("AAAA", words.Text());
    }

    [Fact]
    public async Task Bad_words_are_not_written_over_token_boundaries_with_and_without_a_space()
    {
        await using var server = await ServerFixture.StartAsync();
        const string request = "\"prompt\":\"abc\",\"max_tokens\":200,\"seed\":3,\"allowed_token_ids\":[97,98,99,32]";
        Assert.Contains("abc", (await server.CompleteAsync("{" + request + "}")).Text(), StringComparison.Ordinal);
        var text = (await server.CompleteAsync("{" + request + ",\"bad_words\":[\"abc\",\" b\"]}")).Text();
        Assert.DoesNotContain("abc", text, StringComparison.Ordinal);
        Assert.DoesNotContain("b", text, StringComparison.Ordinal);
        text = (await server.CompleteAsync("{" + request + ",\"bad_words\":[\"abc\"]}")).Text();
        Assert.DoesNotContain("abc", text, StringComparison.Ordinal);
        Assert.Contains("ab", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_best_of_several_candidates_come_back_best_first()
    {
        await using var server = await ServerFixture.StartAsync();
        const string request = "\"prompt\":[\"one\",\"two\"],\"seed\":5,\"max_tokens\":6,\"ignore_eos\":true,\"return_token_ids\":true";
        var all = await server.CompleteAsync("{" + request + ",\"n\":8,\"logprobs\":0}");
        double Mean(int index) => all.Choice(index).GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray()
            .Average(p => p.GetDouble());
        var expected = Enumerable.Range(0, 2).SelectMany(prompt => Enumerable.Range(8 * prompt, 8).OrderByDescending(Mean).Take(2))
            .Select(index => TokenIds(all, index));
        foreach (var logProbs in (string[])["", ",\"logprobs\":1"])
        {
            var best = await server.CompleteAsync("{" + request + ",\"n\":2,\"best_of\":8" + logProbs + "}");
            Assert.Equal(expected, Enumerable.Range(0, 4).Select(index => TokenIds(best, index)));
            Assert.Equal([0, 1, 2, 3], best.Json.GetProperty("choices").EnumerateArray()
                .Select(choice => choice.GetProperty("index").GetInt32()));
            Assert.Equal(96, best.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
            Assert.Equal(logProbs.Length == 0, best.Choice().GetProperty("logprobs").ValueKind == JsonValueKind.Null);
        }
    }

    [Fact]
    public async Task As_many_candidates_as_choices_may_be_streamed()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        Assert.NotEmpty((await server.CompleteAsync("""{"prompt":"a","best_of":2,"n":2,"stream":true}""")).Events());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Prompt_log_probabilities_have_ranks_and_texts(int alternatives)
    {
        var executor = new ScriptedExecutor();
        await using var server = await ServerFixture.StartAsync(executor);
        var reply =
            await server.CompleteAsync($$"""{"prompt":"cat","max_tokens":2,"prompt_logprobs":{{alternatives}},"lambda":0.5,"n":2}""");
        var prompt = reply.Choice(1).GetProperty("prompt_logprobs");
        Assert.Equal(prompt.GetRawText(), reply.Choice().GetProperty("prompt_logprobs").GetRawText());
        Assert.Equal((4, JsonValueKind.Null), (prompt.GetArrayLength(), prompt[0].ValueKind));
        int[] tokens = [ByteTokenizer.Bos, 'c', 'a', 't'];
        for (var i = 1; i < tokens.Length; i++)
        {
            var expected = LogSoftmax(executor.MixedLogits(tokens.AsSpan(0, i), 0.5));
            var ranked = Enumerable.Range(0, 258).OrderByDescending(token => expected[token]).ToList();
            var entries = prompt[i].EnumerateObject()
                .Select(entry => int.Parse(entry.Name, System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(ranked.Take(alternatives).Prepend(tokens[i]).Distinct(), entries);
            var own = prompt[i].EnumerateObject().First().Value;
            Assert.Equal(expected[tokens[i]], own.GetProperty("logprob").GetDouble(), 1e-4);
            Assert.Equal(ranked.IndexOf(tokens[i]) + 1, own.GetProperty("rank").GetInt32());
            Assert.Equal(((char)tokens[i]).ToString(), own.GetProperty("decoded_token").GetString());
        }
        Assert.Equal(JsonValueKind.Null, reply.Choice().GetProperty("logprobs").ValueKind);
    }

    [Fact]
    public async Task Prompt_log_probabilities_of_a_chat_are_the_answer_s_and_echo_keeps_its_own_number()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("ok"));
        var chat = await server.ChatAsync("{" + User + ",\"prompt_logprobs\":1}");
        Assert.Equal(chat.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), chat.Json.GetProperty("prompt_logprobs")
            .GetArrayLength());
        var echo = await server.CompleteAsync("""{"prompt":"cat","echo":true,"logprobs":1,"prompt_logprobs":3}""");
        Assert.InRange(echo.Choice().GetProperty("logprobs").GetProperty("top_logprobs")[2].EnumerateObject().Count(), 1, 2);
        Assert.InRange(echo.Choice().GetProperty("prompt_logprobs")[2].EnumerateObject().Count(), 3, 4);
        var silent = await server.CompleteAsync("""{"prompt":"cat","echo":true,"prompt_logprobs":3}""");
        Assert.Equal(("catok", JsonValueKind.Null), (silent.Text(), silent.Choice().GetProperty("logprobs").ValueKind));
    }

    [Fact]
    public async Task Special_tokens_are_part_of_the_text_where_asked_but_the_end_is_not()
    {
        int[] said = ['x', ByteTokenizer.Bos, 'x', ByteTokenizer.Eos];
        var executor = new ScriptedExecutor { Script = Scripts.Script(said) };
        await using var server = await ServerFixture.StartAsync(executor);
        Assert.Equal("xx", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal("x<s>x", (await server.CompleteAsync("""{"prompt":"a","skip_special_tokens":false}""")).Text());
        Assert.Equal("x<s>x</s>",
            (await server.CompleteAsync("""{"prompt":"a","skip_special_tokens":false,"include_stop_str_in_output":true}""")).Text());
    }

    [Fact]
    public async Task Special_tokens_are_put_around_a_prompt_or_not()
    {
        var executor = Scripts.Saying("ok");
        await using var server = await ServerFixture.StartAsync(executor);
        var prompt = PromptOf(executor);
        await server.CompleteAsync("""{"prompt":"ab"}""");
        await server.CompleteAsync("""{"prompt":"ab","add_special_tokens":false}""");
        Assert.Equal([ByteTokenizer.Bos, 'a', 'b', 'a', 'b'], prompt);
    }

    [Theory]
    [InlineData("", "256,60,115,62,97,60,47,115,62")]
    [InlineData(",\"parse_special\":false", "256,60,115,62,97,60,47,115,62")]
    [InlineData(",\"parse_special\":true", "256,97,257")] // BOS is the text's own matter.
    [InlineData(",\"parse_special\":true,\"add_special_tokens\":true", "256,256,97,257")]
    [InlineData(",\"parse_special\":true,\"truncate_prompt_tokens\":2", "97,257")]
    public async Task Special_tokens_are_read_in_a_prompt_where_asked(string fields, string tokens)
    {
        var executor = Scripts.Saying("ok");
        await using var server = await ServerFixture.StartAsync(executor);
        var prompt = PromptOf(executor);
        var reply = await server.CompleteAsync($$"""{"prompt":["<s>a</s>"]{{fields}}}""");
        Assert.Equal("ok", reply.Text());
        Assert.Equal(tokens, string.Join(',', prompt.Take(tokens.Split(',').Length)));
        Assert.Equal(tokens.Split(',').Length, reply.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task A_prompt_laid_out_by_the_client_gives_the_tokens_of_the_chat()
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja",
            "{{ bos_token }}{% for m in messages %}({{ m.role }}){{ m.content }}{{ eos_token }}{% endfor %}");
        folder.Write("tokenizer_config.json", """{ "bos_token": "<s>", "eos_token": "</s>" }""");
        await using var server = await ServerFixture.StartAsync(chats: ChatTemplate.Load(folder.Path, TimeProvider.System));
        var chat = await server.PostAsync("/tokenize", """{"messages":[{"role":"user","content":"hi"}]}""");
        var text = await server.PostAsync("/tokenize", """{"prompt":"<s>(user)hi</s>","parse_special":true}""");
        Assert.Equal((200, chat.Body), (text.Status, text.Body));
    }

    [Theory]
    [InlineData("\"truncate_prompt_tokens\":3", 3)]
    [InlineData("\"truncate_prompt_tokens\":256,\"max_tokens\":1", 255)]
    [InlineData("\"truncate_prompt_tokens\":-1,\"max_tokens\":6", 250)]
    [InlineData("\"truncate_prompt_tokens\":-1", 240)]
    public async Task Of_a_long_prompt_the_end_is_kept(string field, int kept)
    {
        var executor = Scripts.Saying("ok");
        await using var server = await ServerFixture.StartAsync(executor);
        var text = string.Concat(Enumerable.Range(0, field.Contains("256", StringComparison.Ordinal) ? 254 : 400)
            .Select(i => (char)('a' + i % 26)));
        var reply = await server.CompleteAsync($$"""{"prompt":"{{text}}",{{field}},"echo":true}""");
        Assert.Equal(kept, reply.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.StartsWith(text[^Math.Min(kept, text.Length)..], reply.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_are_named_by_their_ids_where_asked()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        var reply = await server.CompleteAsync("""{"prompt":"a","logprobs":1,"return_tokens_as_token_ids":true}""");
        Assert.Equal(["token_id:104", "token_id:105", "token_id:257"],
            reply.Choice().GetProperty("logprobs").GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        Assert.All(reply.Choice().GetProperty("logprobs").GetProperty("top_logprobs")[0].EnumerateObject(),
            entry => Assert.StartsWith("token_id:", entry.Name));
        var chat = await server.ChatAsync("{" + User + ",\"logprobs\":true,\"return_tokens_as_token_ids\":true}");
        Assert.Equal("token_id:104", chat.Choice().GetProperty("logprobs").GetProperty("content")[0].GetProperty("token").GetString());
    }

    [Fact]
    public async Task A_prompt_s_tokens_come_with_the_answer_s_and_in_a_stream_once_a_choice()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        const string two = "\"prompt\":[[97,98],[99]],\"n\":2,\"return_token_ids\":true";
        foreach (var more in (string[])["", ",\"best_of\":3", ",\"stream\":true"])
        {
            var reply = await server.CompleteAsync("{" + two + more + "}");
            var choices = reply.Body.StartsWith('{') ? [.. reply.Json.GetProperty("choices").EnumerateArray()]
                : reply.Events().Select(e => e.GetProperty("choices")[0]).ToList();
            var prompts = choices.Where(choice => choice.TryGetProperty("prompt_token_ids", out _))
                .OrderBy(choice => choice.GetProperty("index").GetInt32())
                .Select(choice => choice.GetProperty("prompt_token_ids").GetRawText());
            Assert.Equal(["[97,98]", "[97,98]", "[99]", "[99]"], prompts);
        }
        var tokens = (await server.PostAsync("/tokenize", "{" + User + "}")).Json.GetProperty("tokens").GetRawText();
        var chat = await server.ChatAsync("{" + User + ",\"n\":2,\"return_token_ids\":true}");
        Assert.Equal(tokens, chat.Json.GetProperty("prompt_token_ids").GetRawText());
        var stream = (await server.ChatAsync("{" + User + ",\"n\":2,\"return_token_ids\":true,\"stream\":true}")).Events();
        Assert.Equal([tokens, tokens], stream.Take(2).Select(chunk => chunk.GetProperty("prompt_token_ids").GetRawText()));
        Assert.DoesNotContain(stream.Skip(2), chunk => chunk.TryGetProperty("prompt_token_ids", out _));
    }

    [Fact]
    public async Task Every_chunk_says_what_was_taken_so_far_where_asked()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        foreach (var path in (string[])["/v1/completions", "/v1/chat/completions"])
        {
            var reply = await server.PostAsync(path, "{" + (path.Contains("chat", StringComparison.Ordinal) ? User : "\"prompt\":\"a\"")
                + ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}}");
            var taken = reply.Events().Select(e => e.GetProperty("usage").GetProperty("completion_tokens").GetInt32()).ToList();
            Assert.Equal(taken.Order(), taken);
            Assert.Equal(6, taken[^1]);
        }
        var without = await server.CompleteAsync("""{"prompt":"a","stream":true,"stream_options":{"continuous_usage_stats":true}}""");
        Assert.All(without.Events(), e => Assert.False(e.TryGetProperty("usage", out _)));
    }

    [Theory]
    [InlineData("", "User: a\n\nAssistant: b\n\nAssistant:")]
    [InlineData(",\"add_generation_prompt\":true", "User: a\n\nAssistant: b\n\nAssistant:")]
    [InlineData(",\"add_generation_prompt\":false", "User: a\n\nAssistant: b\n\n")]
    [InlineData(",\"continue_final_message\":true", "User: a\n\nAssistant: b")]
    [InlineData(",\"continue_final_message\":true,\"add_generation_prompt\":false", "User: a\n\nAssistant: b")]
    [InlineData(",\"chat_template_kwargs\":{\"any\":[1]},\"add_special_tokens\":true", "User: a\n\nAssistant: b\n\nAssistant:")]
    public async Task A_chat_ends_where_the_request_says(string fields, string prompt)
    {
        var executor = Scripts.Saying(" c");
        await using var server = await ServerFixture.StartAsync(executor);
        var tokens = PromptOf(executor);
        var reply = await server.ChatAsync("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]""" + fields
            + "}");
        Assert.Equal(prompt, new ByteTokenizer().CreateDecoder(false) is var decoder ? string.Concat(tokens.Select(decoder.Append)) : "");
        Assert.Equal(" c", reply.Text());
    }

    [Fact]
    public async Task Fields_that_are_only_taken_change_nothing()
    {
        await using var server = await ServerFixture.StartAsync();
        const string request = "\"prompt\":\"a\",\"seed\":2,\"ignore_eos\":true,\"return_token_ids\":true";
        var plain = await server.CompleteAsync("{" + request + "}");
        var other = await server.CompleteAsync("{" + request
            + ",\"cache_salt\":\"x\",\"priority\":-3,\"timeout\":60,\"spaces_between_special_tokens\":true}");
        Assert.Equal(TokenIds(plain), TokenIds(other));
        Assert.False(other.Headers.ContainsKey("x-ignored-fields"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"speculation\":null", true)]
    [InlineData(",\"speculation\":true", true)]
    [InlineData(",\"speculation\":false", false)]
    public void A_completion_and_a_chat_may_each_turn_speculation_off(string field, bool speculation)
    {
        var pair = ServerFixture.Pair(new ScriptedExecutor());
        using var engine = pair.Engine;
        using var completion = JsonDocument.Parse($"{{\"prompt\":\"a\"{field}}}");
        using var chat = JsonDocument.Parse($"{{{User}{field}}}");
        Assert.Equal(speculation, CompletionRequestReader.Read(completion.RootElement, pair).Input.Speculation);
        Assert.Equal(speculation, ChatRequestReader.Read(chat.RootElement, pair).Input.Speculation);
    }

    [Fact]
    public async Task Strict_mode_refuses_what_is_otherwise_ignored()
    {
        var executor = Scripts.Saying("hi");
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor,
            options: new ServerOptions { Time = new() { DrainSeconds = 0 }, Body = new() { StrictFields = true } });
        await server.PhaseChangedAsync();
        var refused = await server.CompleteAsync("""{"prompt":"a","user":"u","shiny_thing":0}""");
        Assert.Equal((400, "shiny_thing"), (refused.Status, refused.Param));
        Assert.Equal("repeat_penalty", (await server.CompleteAsync("""{"prompt":"a","repeat_penalty":1.1}""")).Param);
        Assert.Equal("hi", (await server.CompleteAsync("""{"prompt":"a","user":"u","store":true,"shiny_thing":null}""")).Text());
    }
}
