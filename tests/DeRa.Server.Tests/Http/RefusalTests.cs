using System.Globalization;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class RefusalTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>A field of a completion request, the param that its refusal names, and what its message must hold.</summary>
    public static TheoryData<string, string, string> BadCompletions => new()
    {
        { "\"alignment_strength\":10.5", "alignment_strength", "between -1 and 10" },
        { "\"alignment_strength\":-1.01", "alignment_strength", "between -1 and 10" },
        { "\"alignment_strength\":1e999", "alignment_strength", "between -1 and 10" },
        { "\"alignment_strength\":NaN", "alignment_strength", "not valid JSON" },
        { "\"alignment_strength\":\"0.5\"", "alignment_strength", "must be a number" },
        { "\"alignment_strength\":true", "alignment_strength", "must be a number" },
        { "\"alignment_strength\":[1]", "alignment_strength", "must be a number" },
        { "\"alignment_strengths\":0.5", "alignment_strengths", "an object of aligned models' names and numbers" },
        { "\"alignment_strengths\":{\"aligned\":\"1\"}", "alignment_strengths.aligned", "must be a number" },
        { "\"alignment_strengths\":{\"aligned\":11}", "alignment_strengths.aligned", "between -1 and 10" },
        { "\"alignment_strengths\":{\"helpful\":1}", "alignment_strengths.helpful", "none of the aligned models: aligned" },
        { "\"alignment_strengths\":{\"aligned\":1},\"alignment_strength\":1", "alignment_strengths", "both set" },
        { "\"alignment_strengths\":{\"aligned\":1},\"lambda\":1", "alignment_strengths", "'lambda' are both set" },
        { "\"alignment_strenghts\":{\"aligned\":1}", "alignment_strenghts", "'alignment_strengths'" },
        { "\"model\":\"pair-reference\",\"lambda\":0.6", "lambda", "fixes the mixture" },
        { "\"lambda\":11", "lambda", "between -1 and 10" },
        { "\"lambda\":0.5,\"alignment_strength\":0.6", "alignment_strength", "'lambda' is 0.5" },
        { "\"lambda\":0.5,\"lambda\":0.6", "lambda", "uplicate" },
        { "\"lamda\":0.5", "lamda", "'lambda'" },
        { "\"λ\":0.5", "λ", "'alignment_strength'" },
        { "\"strength\":0.5", "strength", "'alignment_strength'" },
        { "\"alignmentStrength\":0.5", "alignmentStrength", "'alignment_strength'" },
        { "\"align_strength\":0.5", "align_strength", "'alignment_strength'" },
        { "\"temprature\":1", "temprature", "'temperature'" },
        { "\"Temperature\":1", "Temperature", "'temperature'" },
        { "\"max_token\":1", "max_token", "'max_tokens'" },
        { "\"max_tokens\":-2", "max_tokens", "at least 1, or -1 for what the context leaves" },
        { "\"max_tokens\":0", "max_tokens", "at least 1" },
        { "\"max_completion_tokens\":-2", "max_completion_tokens", "at least 1" },
        { "\"max_tokens\":1.5", "max_tokens", "'max_tokens' is 1.5; it must be -1 or a whole number from 0 to 255." },
        { "\"max_tokens\":4.0", "max_tokens",
            "'max_tokens' is 4.0; it must be -1 or a whole number from 0 to 255, written without a fraction or an exponent." },
        { "\"max_tokens\":99999999999", "max_tokens", "'max_tokens' is 99999999999; it must be -1 or a whole number from 0 to 255." },
        { "\"max_tokens\":\"4\"", "max_tokens", "'max_tokens' must be -1 or a whole number from 0 to 255." },
        { "\"max_tokens\":3,\"max_completion_tokens\":4", "max_tokens", "'max_completion_tokens' is 4" },
        { "\"temperature\":2.1", "temperature", "between 0.01 and 2" },
        { "\"temperature\":0.001", "temperature", "between 0.01 and 2" },
        { "\"temperature\":\"hot\"", "temperature", "must be a number" },
        { "\"top_k\":-2", "top_k", "at least -1" },
        { "\"top_p\":-0.1", "top_p", "between 0 and 1" },
        { "\"top_p\":1.1", "top_p", "between 0 and 1" },
        { "\"min_p\":-0.1", "min_p", "between 0 and 1" },
        { "\"repetition_penalty\":0", "repetition_penalty", "above 0" },
        { "\"frequency_penalty\":2.5", "frequency_penalty", "between -2 and 2" },
        { "\"presence_penalty\":-2.5", "presence_penalty", "between -2 and 2" },
        { "\"n\":0", "n", "between 1 and 128" },
        { "\"n\":129", "n", "between 1 and 128" },
        { "\"best_of\":21", "best_of", "between 1 and 20" },
        { "\"best_of\":1,\"n\":2", "best_of", "between 2 and 20" },
        { "\"best_of\":2,\"stream\":true", "best_of", "a stream" },
        { "\"n\":2.0", "n", "'n' is 2.0; it must be a whole number from 1 to 128, written without a fraction or an exponent." },
        { "\"best_of\":true", "best_of", "'best_of' must be a whole number from 1 to 20." },
        { "\"seed\":7.0", "seed", "'seed' is 7.0; it must be a whole number of 64 bits, written without a fraction or an exponent." },
        { "\"seed\":7.5", "seed", "'seed' is 7.5; it must be a whole number of 64 bits." },
        { "\"seed\":1e30", "seed", "a whole number of 64 bits, written without" },
        { "\"seed\":\"x\"", "seed", "'seed' must be a whole number of 64 bits." },
        { "\"stop\":7", "stop", "list of strings" },
        { "\"stop\":[1]", "stop[0]", "a string" },
        { $"\"stop\":[\"\",\"{new string('x', 257)}\"]", "stop", "'stop[1]' has 257 bytes; at most 256" },
        { "\"stop\":[\"\\ud800\"]", "stop[0]", "Unicode" },
        { "\"logprobs\":-1", "logprobs", "between 0 and 20" },
        { "\"logprobs\":21", "logprobs", "between 0 and 20" },
        { "\"logprobs\":true", "logprobs", "must be a whole number from 0 to 20" },
        { "\"logprobs\":true", "logprobs", "true, with 'top_logprobs' as that number, is for /v1/chat/completions" },
        { "\"logprobs\":2.0", "logprobs", "a whole number from 0 to 20 or false, written without" },
        { "\"top_logprobs\":2", "top_logprobs", "it belongs to /v1/chat/completions; here 'logprobs' is" },
        { "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]", "messages",
            "it belongs to /v1/chat/completions, and 'prompt' to this path" },
        { "\"logit_bias\":{\"258\":1}", "logit_bias", "between 0 and 257" },
        { "\"logit_bias\":{\"5\":1,\"05\":2}", "logit_bias", "token 5 twice" },
        { "\"logit_bias\":{\"-1\":1}", "logit_bias", "not a token id" },
        { "\"logit_bias\":{\"word\":1}", "logit_bias", "not a token id" },
        { "\"logit_bias\":{\"1\":101}", "logit_bias[1]", "between -100 and 100" },
        { "\"logit_bias\":{\"1\":\"x\"}", "logit_bias[1]", "a number" },
        { "\"logit_bias\":[1]", "logit_bias", "an object" },
        { "\"echo\":1", "echo", "true or false" },
        { "\"stream\":\"yes\"", "stream", "true or false" },
        { "\"ignore_eos\":0", "ignore_eos", "true or false" },
        { "\"stream_options\":{\"include_usage\":true}", "stream_options", "needs 'stream'" },
        { "\"stream\":true,\"stream_options\":true", "stream_options", "an object" },
        { "\"stream\":true,\"stream_options\":{\"include_usage\":1}", "stream_options.include_usage", "true or false" },
        { "\"stream\":true,\"stream_options\":{\"continuous_usage_stats\":0}", "stream_options.continuous_usage_stats", "true or false" },
        { "\"stream\":true,\"stream_options\":{\"shiny\":true}", "stream_options.shiny", "does not work" },
        { "\"model\":7", "model", "a string" },
        { "\"suffix\":\"end\"", "suffix", "does not work" },
        { "\"min_tokens\":-1", "min_tokens", "at least 0" },
        { "\"min_tokens\":17", "min_tokens", "between 0 and what may be generated at most, 16" },
        { "\"min_tokens\":4,\"max_tokens\":3", "min_tokens", "at most, 3" },
        { "\"stop_token_ids\":1", "stop_token_ids", "a list of token ids" },
        { "\"stop_token_ids\":[1,258]", "stop_token_ids[1]", "between 0 and 257" },
        { "\"stop_token_ids\":[\"a\"]", "stop_token_ids[0]", "a token id, a whole number from 0 to 257." },
        { "\"stop_token_ids\":[1,2.0]", "stop_token_ids[1]",
            "is 2.0; it must be a token id, a whole number from 0 to 257, written without" },
        { $"\"stop_token_ids\":[{string.Join(',', Enumerable.Repeat(1, 129))}]", "stop_token_ids", "at most 128" },
        { "\"include_stop_str_in_output\":1", "include_stop_str_in_output", "true or false" },
        { "\"bad_words\":\"a\"", "bad_words", "a list of strings" },
        { "\"bad_words\":[\"a\",3]", "bad_words[1]", "a string" },
        { "\"bad_words\":[\" \"]", "bad_words", "'bad_words[0]' has 1 bytes" },
        { $"\"bad_words\":[\"{new string('x', 257)}\"]", "bad_words", "between 1 and 256" },
        { $"\"bad_words\":[{string.Join(',', Enumerable.Repeat("\"a\"", 129))}]", "bad_words", "at most 128" },
        { "\"typical_p\":0", "typical_p", "above 0 and at most 1" },
        { "\"typical_p\":1.1", "typical_p", "above 0 and at most 1" },
        { "\"priority\":0.5", "priority", "a whole number from -2147483648 to 2147483647." },
        { "\"top_k\":3000000000", "top_k", "is 3000000000; it must be a whole number from -1 to 2147483647." },
        { "\"speculation\":0", "speculation", "'speculation' must be true or false" },
        { "\"speculation\":\"off\"", "speculation", "'speculation' must be true or false" },
        { "\"cache_salt\":\"\"", "cache_salt", "1 to 1024 bytes" },
        { $"\"cache_salt\":\"{new string('x', 1025)}\"", "cache_salt", "1 to 1024 bytes" },
        { "\"skip_special_tokens\":\"no\"", "skip_special_tokens", "true or false" },
        { "\"add_special_tokens\":1", "add_special_tokens", "true or false" },
        { "\"parse_special\":1", "parse_special", "true or false" },
        { "\"truncate_prompt_tokens\":0", "truncate_prompt_tokens", "between 1 and 256, or -1" },
        { "\"truncate_prompt_tokens\":257", "truncate_prompt_tokens", "between 1 and 256, or -1" },
        { "\"truncate_prompt_tokens\":-2", "truncate_prompt_tokens", "between 1 and 256, or -1" },
        { "\"return_tokens_as_token_ids\":2", "return_tokens_as_token_ids", "true or false" },
        { "\"timeout\":0", "timeout", "between 0.001 and 86400" },
        { "\"timeout\":86401", "timeout", "between 0.001 and 86400" },
        { "\"timeout\":\"1s\"", "timeout", "a number" },
        { "\"response_format\":{\"type\":\"json_object\"}", "response_format", "does not work" },
        { "\"prompt_logprobs\":21", "prompt_logprobs", "between 0 and 20" },
        { "\"prompt_logprobs\":-1", "prompt_logprobs", "between 0 and 20" },
        { "\"prompt_logprobs\":1,\"stream\":true", "prompt_logprobs", "a stream" },
        { "\"allowed_token_ids\":[]", "allowed_token_ids", "between 1 and 1024" },
        { "\"allowed_token_ids\":[258]", "allowed_token_ids[0]", "between 0 and 257" },
        { "\"allowed_token_ids\":{}", "allowed_token_ids", "a list of token ids" },
        { $"\"allowed_token_ids\":[{string.Join(',', Enumerable.Repeat(1, 1025))}]", "allowed_token_ids", "at most 1024" },
        { "\"min_token\":3", "min_token", "'min_tokens'" },
        { "\"structured_outputs\":{}", "structured_outputs", "does not work" },
        { "\"logits_processors\":[1]", "logits_processors", "does not work" },
        { "\"guided_json\":{}", "guided_json", "does not work" },
        { "\"use_beam_search\":true", "use_beam_search", "does not work" },
    };

    [Theory]
    [MemberData(nameof(BadCompletions))]
    public async Task A_bad_field_is_refused_by_name_and_the_engine_goes_on(string fields, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        await RefusedAsync(server, "/v1/completions", $$"""{"prompt":"a",{{fields}}}""", param, message);
    }

    public static TheoryData<string, string, string> BadPrompts => new()
    {
        { "{}", "prompt", "missing" },
        { """{"prompt":null}""", "prompt", "missing" },
        { """{"prompt":{}}""", "prompt", "a string" },
        { """{"prompt":7}""", "prompt", "a string" },
        { """{"prompt":[]}""", "prompt", "at least one" },
        { """{"prompt":[[]]}""", "prompt[0]", "at least one token" },
        { """{"prompt":[1,"a"]}""", "prompt[1]", "a token id" },
        { """{"prompt":["a",1]}""", "prompt[1]", "a string" },
        { """{"prompt":[1,2.5]}""", "prompt[1]", "a token id" },
        { """{"prompt":[1,2.0]}""", "prompt[1]",
            "'prompt[1]' is 2.0; it must be a token id, a whole number from 0 to 257, written without" },
        { """{"prompt":["a",[1e1]]}""", "prompt[1][0]", "'prompt[1][0]' is 1e1; it must be" },
        { """{"prompt":[1,258]}""", "prompt", "from 0 to 257" },
        { """{"prompt":[1,-1]}""", "prompt", "from 0 to 257" },
        { """{"prompt":[[1],[258]]}""", "prompt[1]", "from 0 to 257" },
        { """{"prompt":"\ud83d"}""", "prompt", "Unicode" },
        { """{"prompt":["a","b"],"n":100,"max_tokens":200}""", "n", "cache holds" },
    };

    [Theory]
    [MemberData(nameof(BadPrompts))]
    public async Task A_bad_prompt_is_refused_by_name(string body, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        await RefusedAsync(server, "/v1/completions", body, param, message);
    }

    [Fact]
    public async Task Too_many_prompts_are_refused()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var prompts = string.Join(',', Enumerable.Repeat("\"a\"", 65));
        await RefusedAsync(server, "/v1/completions", $$"""{"prompt":[{{prompts}}]}""", "prompt", "at most 64");
    }

    [Fact]
    public async Task Unknown_fields_are_ignored_up_to_a_number()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        string Body(int unknown) => $$"""{"prompt":"a",{{string.Join(',', Enumerable.Range(0, unknown).Select(i => $"\"zz{i}zz\":0"))}}}""";
        Assert.Equal(200, (await server.CompleteAsync(Body(64))).Status);
        await RefusedAsync(server, "/v1/completions", Body(65), "zz64zz", "64");
    }

    [Theory]
    [InlineData("\"model\":\"{0}\"", 404)]
    [InlineData("\"strength_{0}\":1", 400)]
    [InlineData("\"logit_bias\":{{\"{0}\":1}}", 400)]
    [InlineData("\"stream\":true,\"stream_options\":{{\"{0}\":true}}", 400)]
    public async Task An_error_repeats_an_excerpt_of_what_was_sent(string fields, int status)
    {
        await using var server = await ServerFixture.StartAsync();
        var sent = string.Format(CultureInfo.InvariantCulture, fields, string.Concat(Enumerable.Repeat("q😀", 100_000)));
        var reply = await server.CompleteAsync($$"""{"prompt":"a",{{sent}}}""");
        Assert.Equal(status, reply.Status);
        Assert.InRange(reply.Body.Length, 300, 8000);
        Assert.Contains("characters left out", reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\uFFFD', reply.Error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Too_long_a_prompt_has_its_own_code()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        foreach (var body in (string[])[$$"""{"prompt":"{{new string('a', 300)}}"}""", """{"prompt":"a","max_tokens":255}"""])
        {
            var reply = await server.CompleteAsync(body);
            Assert.Equal((400, "context_length_exceeded"), (reply.Status, reply.Code));
            Assert.Contains("256", reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string, string> BadChats => new()
    {
        { "{}", "messages", "missing" },
        { """{"messages":[]}""", "messages", "at least one" },
        { """{"messages":"hi"}""", "messages", "a list" },
        { """{"messages":["hi"]}""", "messages[0]", "an object" },
        { """{"messages":[{"content":"a"}]}""", "messages[0].role", "missing" },
        { """{"messages":[{"role":"king","content":"a"}]}""", "messages[0].role", "system, developer, user, assistant, tool" },
        { """{"messages":[{"role":"","content":"a"}]}""", "messages[0].role", "not empty" },
        { """{"messages":[{"role":7,"content":"a"}]}""", "messages[0].role", "a string" },
        { """{"messages":[{"role":"user"}]}""", "messages[0].content", "missing" },
        { """{"messages":[{"role":"user","content":null}]}""", "messages[0].content", "missing" },
        { """{"messages":[{"role":null,"content":"a"}]}""", "messages[0].role", "missing" },
        { """{"messages":[{"role":"user","content":[{"type":"text","text":null}]}]}""", "messages[0].content[0].text", "missing" },
        { """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "messages[0].content[0].type",
            "other parts" },
        { """{"messages":[{"role":"user","content":[{"type":"text"}]}]}""", "messages[0].content[0].text", "missing" },
        { """{"messages":[{"role":"user","content":["a"]}]}""", "messages[0].content[0]", "an object" },
        { """{"messages":[{"role":"assistant","content":"a","tool_calls":[{}]}]}""", "messages[0].tool_calls", "does not work" },
        { """{"messages":[{"role":"tool","content":"a","tool_call_id":"x"}]}""", "messages[0].tool_call_id", "does not work" },
        { """{"messages":[{"role":"user","content":"a","namee":"x"}]}""", "messages[0].namee", "'name'" },
        { """{"messages":[{"role":"user","content":[{"type":"text","text":"a","texts":"b"}]}]}""", "messages[0].content[0].texts",
            "'text'" },
        { """{"messages":[{"role":"user","content":"a"}],"moderation":{"model":"x"}}""", "moderation", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"top_logprobs":2}""", "top_logprobs", "needs 'logprobs'" },
        { """{"messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":21}""", "top_logprobs", "between 0 and 20" },
        { """{"messages":[{"role":"user","content":"a"}],"logprobs":3}""", "logprobs", "true or false; 'top_logprobs' is the number" },
        { """{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function"}]}""", "tools", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"tool_choice":"required"}""", "tool_choice", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"modalities":["text","audio"]}""", "modalities", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"add_generation_prompt":0}""", "add_generation_prompt", "true or false" },
        { """{"messages":[{"role":"user","content":"a"}],"add_generation_prompt":true,"continue_final_message":true}""",
            "continue_final_message", "both true" },
        { """{"messages":[{"role":"user","content":" "}],"continue_final_message":true}""", "continue_final_message", "no text" },
        { """{"messages":[{"role":"user","content":"a"}],"chat_template_kwargs":[]}""", "chat_template_kwargs", "an object" },
        { """{"messages":[{"role":"user","content":"a"}],"chat_template_kwargs":{"messages":[]}}""", "chat_template_kwargs.messages",
            "may not set" },
        { """{"messages":[{"role":"user","content":"a"}],"chat_template_kwargs":{"bos_token":"x"}}""", "chat_template_kwargs.bos_token",
            "may not set" },
        { """{"messages":[{"role":"user","content":"a"}],"chat_template_kwargs":{"a":{"b":["\ud800"]}}}""", "chat_template_kwargs.a.b",
            "Unicode" },
        { """{"messages":[{"role":"user","content":"a"}],"best_of":2}""", "best_of", "it belongs to /v1/completions" },
        { """{"messages":[{"role":"user","content":"a"}],"top_logprobs":1.0,"logprobs":true}""", "top_logprobs",
            "a whole number from 0 to 20, written without" },
        { """{"messages":[{"role":"user","content":"a"}],"web_search_options":{}}""", "web_search_options", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"prompt_logprobs":1,"stream":true}""", "prompt_logprobs", "a stream" },
        { """{"messages":[{"role":"user","content":"a"}],"echo":true}""", "echo", "does not work" },
        { """{"messages":[{"role":"user","content":"a"}],"mesages":[]}""", "mesages", "'messages'" },
        { """{"messages":[{"role":"user","content":"a"}],"speculation":"auto"}""", "speculation", "'speculation' must be true or false" },
        { """{"messages":[{"role":"user","content":"a"}],"lambda":99}""", "lambda", "between -1 and 10" },
        { """{"messages":[{"role":"user","content":"a"}],"prompt":"a"}""", "prompt",
            "it belongs to /v1/completions, and 'messages' to this path" },
    };

    [Theory]
    [MemberData(nameof(BadChats))]
    public async Task A_bad_chat_is_refused_by_name(string body, string param, string message)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        await RefusedAsync(server, "/v1/chat/completions", body, param, message);
    }

    [Fact]
    public async Task An_unknown_model_is_not_found()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        foreach (var reply in (Reply[])[await server.CompleteAsync("""{"model":"other","prompt":"a"}"""),
            await server.ChatAsync("""{"model":"other","messages":[{"role":"user","content":"a"}]}"""),
                await server.GetAsync("/v1/models/other")])
            Assert.Equal((404, "model_not_found", "model", "invalid_request_error"), (reply.Status, reply.Code, reply.Param, reply.Type));
    }

    /// <summary>A request is refused by this field, and the server goes on as if nothing had been.</summary>
    internal static async Task RefusedAsync(ServerFixture server, string path, string body, string param, string message)
    {
        var reply = await server.PostAsync(path, body);
        Assert.Equal((400, "invalid_request_error", param), (reply.Status, reply.Type, reply.Param));
        Assert.Equal(["message", "type", "param", "code"], reply.Error.EnumerateObject().Select(entry => entry.Name));
        Assert.Contains(message, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("fine", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }
}
