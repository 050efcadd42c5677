using DeRa.Server.Http.Wire;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>
/// What clients send by habit, to this server or written for another: null, values that ask for nothing, and other servers' fields.
/// </summary>
public class OtherClientTests
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";

    private static readonly FieldTable[] Tables =
    [
        CompletionRequestReader.Table, ChatRequestReader.Table, TokenizeRequestReader.TextTable, TokenizeRequestReader.ChatTable,
        DetokenizeRequestReader.Table,
    ];

    [Theory]
    [InlineData("top_a typical models seeds tool stops tempratures lamda strength alignment_strengts")]
    [InlineData("repeat_penalty min_length shiny_thing mode messagess promptt n_")]
    public async Task Null_is_unset_whatever_the_name(string names)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var nulls = string.Join(',', names.Split(' ').Select(name => $"\"{name}\":null"));
        foreach (var reply in (Reply[])[await server.CompleteAsync($"{{\"prompt\":\"a\",{nulls}}}"),
            await server.ChatAsync($"{{{User},{nulls}}}")])
        {
            Assert.Equal("fine", reply.Text());
            Assert.False(reply.Headers.ContainsKey("x-ignored-fields"));
        }
        Assert.Equal(200, (await server.PostAsync("/tokenize", $"{{\"prompt\":\"a\",{nulls}}}")).Status);
        Assert.Equal(200, (await server.PostAsync("/detokenize", $"{{\"tokens\":[97],{nulls}}}")).Status);
        var message = string.Join(',', names.Split(' ').Concat(["nam", "contents"]).Select(name => $"\"{name}\":null"));
        Assert.Equal("fine", (await server.ChatAsync($"{{\"messages\":[{{\"role\":\"user\",\"content\":\"a\",{message}}}]}}")).Text());
    }

    [Theory]
    [InlineData("\"logprobs\":false,\"top_logprobs\":0,\"suffix\":null,\"best_of\":1")]
    [InlineData("\"stop\":\"\"")]
    [InlineData("\"stop\":[\"\"]")]
    [InlineData("\"stop\":[],\"logit_bias\":{},\"stop_token_ids\":[],\"bad_words\":[],\"alignment_strengths\":{}")]
    [InlineData("\"stream\":false,\"stream_options\":{\"shiny\":null},\"response_format\":{\"type\":null,\"schema\":null}")]
    [InlineData("\"model\":\"\",\"logit_bias\":{\"97\":null,\"word\":null},\"alignment_strengths\":{\"aligned\":null}")]
    [InlineData("\"n\":1,\"min_tokens\":0,\"include_stop_str_in_output\":false,\"skip_special_tokens\":true,\"priority\":0,\"echo\":false")]
    [InlineData(
        "\"top_k\":-1,\"top_p\":1,\"min_p\":0,\"typical_p\":1,\"repetition_penalty\":1,\"frequency_penalty\":0,\"presence_penalty\":0")]
    [InlineData("\"top_k\":0,\"seed\":-1,\"max_tokens\":-1,\"truncate_prompt_tokens\":-1")]
    [InlineData("\"response_format\":{\"type\":\"text\"},\"use_beam_search\":false,\"length_penalty\":1.0,\"service_tier\":\"auto\"")]
    [InlineData(
        "\"response_format\":{},\"length_penalty\":0,\"logits_processors\":[],\"kv_transfer_params\":{},\"structured_outputs\":null")]
    [InlineData(
        "\"guided_json\":null,\"guided_regex\":\"\",\"guided_choice\":[],\"guided_grammar\":null,\"spaces_between_special_tokens\":false")]
    [InlineData("\"messages\":[],\"prompt_embeds\":null,\"suffix\":\"\",\"stream_options\":{}")]
    [InlineData("\"stream\":false,\"stream_options\":{\"include_usage\":false,\"continuous_usage_stats\":null},\"cache_salt\":\"x\"")]
    public async Task Values_that_ask_for_nothing_pass(string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var reply = await server.CompleteAsync($"{{\"prompt\":\"a\",{fields}}}");
        Assert.Equal("fine", reply.Text());
        Assert.False(reply.Headers.ContainsKey("x-ignored-fields"));
        Assert.Equal(1, reply.Json.GetProperty("alignment_strength").GetDouble());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, reply.Choice().GetProperty("logprobs").ValueKind);
    }

    [Theory]
    [InlineData("\"logprobs\":false,\"top_logprobs\":0")]
    [InlineData("\"top_logprobs\":0")]
    [InlineData("\"logprobs\":null,\"top_logprobs\":0,\"best_of\":1,\"echo\":false,\"prompt\":\"\"")]
    [InlineData("\"tools\":[],\"tool_choice\":\"none\",\"functions\":[],\"function_call\":\"auto\",\"parallel_tool_calls\":true")]
    [InlineData("\"tools\":null,\"tool_choice\":\"\",\"documents\":[],\"chat_template\":\"\",\"chat_template_kwargs\":{},\"audio\":null")]
    [InlineData("\"modalities\":[\"text\"],\"web_search_options\":null,\"moderation\":false,\"response_format\":{\"type\":\"text\"}")]
    [InlineData("\"modalities\":[],\"stop\":\"\",\"max_completion_tokens\":-1,\"add_generation_prompt\":null,\"alignment_strengths\":{}")]
    public async Task Values_that_ask_a_chat_for_nothing_pass(string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var reply = await server.ChatAsync($"{{{User},{fields}}}");
        Assert.Equal("fine", reply.Text());
        Assert.False(reply.Headers.ContainsKey("x-ignored-fields"));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, reply.Choice().GetProperty("logprobs").ValueKind);
    }

    [Theory]
    [InlineData("/tokenize",
        "\"prompt\":\"a\",\"add_generation_prompt\":false,\"continue_final_message\":false,\"chat_template_kwargs\":{},\"messages\":null")]
    [InlineData("/tokenize", "\"prompt\":\"a\",\"alignment_strengths\":{},\"lambda\":null,\"model\":\"\"")]
    [InlineData("/tokenize", User + ",\"prompt\":null,\"tools\":[],\"media_io_kwargs\":{},\"chat_template\":null")]
    [InlineData("/detokenize", "\"tokens\":[97],\"skip_special_tokens\":false,\"alignment_strength\":null")]
    public async Task Values_that_ask_a_tokenizer_for_nothing_pass(string path, string fields)
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.Equal(200, (await server.PostAsync(path, $"{{{fields}}}")).Status);
    }

    [Fact]
    public async Task Answers_that_clients_send_back_pass_with_all_that_is_empty_in_them()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        var reply = await server.ChatAsync("""
            {"messages":[{"role":"user","content":"a"},
              {"role":"assistant","content":"b","refusal":"","tool_calls":[],"function_call":{},"audio":null,"annotations":[],"context":{"citations":[]}},
              {"role":"user","content":"c"}]}
            """);
        Assert.Equal("fine", reply.Text());
        Assert.Equal("messages.context", reply.Headers["x-ignored-fields"]);
    }

    /// <summary>Bodies as these clients and front ends send them, but for the prompt.</summary>
    public static TheoryData<string, string> Habits => new()
    {
        {
            "text-generation-webui", """
            "do_sample":true,"typical_p":1,"tfs":1,"top_a":0,"epsilon_cutoff":0,"eta_cutoff":0,"repetition_penalty_range":1024,
            "mirostat_mode":0,"mirostat_tau":5,"mirostat_eta":0.1,"min_length":0,"no_repeat_ngram_size":0,"num_beams":1,"penalty_alpha":0,
            "length_penalty":1,"early_stopping":false,"guidance_scale":1,"negative_prompt":"","seed":-1,"add_bos_token":true,
            "truncation_length":2048,"ban_eos_token":false,"skip_special_tokens":true,"stopping_strings":[],"mode":"instruct",
            "max_new_tokens":250,"character":"Example","typical":1,"preset":"None"
            """
        },
        {
            "SillyTavern", """
            "max_new_tokens":9,"temperature":1,"top_p":1,"typical_p":1,"typical":1,"sampler_seed":-1,"min_p":0,"repetition_penalty":1,
            "frequency_penalty":0,"presence_penalty":0,"top_k":0,"skew":0,"min_tokens":0,"add_bos_token":true,"smoothing_factor":0,
            "smoothing_curve":1,"dry_allowed_length":2,"dry_multiplier":0,"dry_base":1.75,"dry_sequence_breakers":"[]","dry_penalty_last_n":0,
            "max_tokens_second":0,"stopping_strings":["x"],"stop":["x"],"truncation_length":8192,"ban_eos_token":false,
            "skip_special_tokens":true,"include_reasoning":true,"top_a":0,"tfs":1,"mirostat_mode":0,"mirostat_tau":5,"mirostat_eta":0.1,
            "custom_token_bans":"","banned_strings":[],"api_type":"vllm","api_server":"http://localhost/","xtc_threshold":0.1,
            "xtc_probability":0,"nsigma":0,"top_n_sigma":0,"min_keep":0,"rep_pen":1,"rep_pen_range":0,"repetition_penalty_range":0,
            "guidance_scale":1,"negative_prompt":"","grammar_string":"","json_schema":{},"repeat_penalty":1,"tfs_z":1,"repeat_last_n":0,
            "n_predict":9,"num_predict":9,"num_ctx":8192,"mirostat":0,"ignore_eos":false,"rep_pen_slope":1,"bypass_eos":false,
            "dynamic_temperature":false,"dynatemp_low":1,"dynatemp_high":1,"dynatemp_range":0,"dynatemp_exponent":1,"temperature_last":true,
            "adaptive_target":-0.01,"adaptive_decay":0.9,"samplers":["top_k"],"sampler_order":[6,0,1],"cache_prompt":true,"n_probs":0,
            "speculative_ngram":false,"token_healing":true,"early_stopping":false,"no_repeat_ngram_size":0,"encoder_repetition_penalty":1,
            "penalty_alpha":0,"do_sample":true,"epsilon_cutoff":0,"eta_cutoff":0,"min_temp":0,"max_temp":1,"memory":"","quiet":true
            """
        },
        {
            "llama.cpp", """
            "n_predict":-1,"cache_prompt":true,"repeat_penalty":1.1,"repeat_last_n":64,"tfs_z":1,"typ_p":1,"mirostat":0,"n_keep":0,"n_probs":0,
            "min_keep":0,"grammar":"","samplers":["top_k"],"id_slot":-1,"timings_per_token":false,"penalize_nl":true,"image_data":[]
            """
        },
        { "Ollama, Open WebUI", """
            "keep_alive":"5m","options":{"num_ctx":4096,"temperature":0.1},"format":"","raw":false,"think":false,"template":"","system":"",
            "context":[1],"chat_id":"x","session_id":"x","id":"x","features":{},"tool_ids":[],"files":[],"background_tasks":{},"params":{},
            "model_item":{"strength":1},"variables":{}
            """ },
        { "OpenRouter, LiteLLM, LM Studio", """
            "provider":{"order":["x"]},"transforms":["middle-out"],"models":["a"],"route":"fallback","usage":{"include":true},"plugins":[],
            "top_a":0.5,"reasoning":{},"include_reasoning":false,"drop_params":true,"num_retries":2,"caching":true,"tags":["a"],"api_base":"x",
            "extra_body":{},"extra_headers":{},"metadata":{"alignment_strength":0.5},"ttl":300,"draft_model":"x","user":"u","max_tokens":-1
            """ },
        { "vLLM, SGLang, text-generation-inference", """
            "regex":null,"ebnf":"","json_schema":"","lora_path":null,"rid":"x","return_hidden_states":false,"separate_reasoning":true,
            "session_params":{},"custom_params":{},"guided_decoding_backend":"auto","include_reasoning":true,"structural_tag":null,"top_n_tokens":0,
            "details":true,"watermark":false,"decoder_input_details":false,"return_full_text":false,"truncate":null,"stop_sequences":[],
            "vllm_xargs":{},"detokenize":true,"prompt_adapter":"","thinking":{"type":"disabled"},"enable_thinking":false,"stop_regex":""
            """ },
    };

    [Theory]
    [MemberData(nameof(Habits))]
    public async Task What_clients_send_other_servers_is_ignored_and_listed(string client, string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        Assert.NotEmpty(client);
        foreach (var reply in (Reply[])[await server.CompleteAsync($"{{\"prompt\":\"a\",{fields}}}"),
            await server.ChatAsync($"{{{User},{fields}}}")])
        {
            Assert.Equal("fine", reply.Text());
            Assert.NotEmpty(reply.Headers["x-ignored-fields"]);
        }
    }

    [Fact]
    public async Task Each_field_of_another_server_is_ignored_alone_however_near_it_lies()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        foreach (var name in OtherServerFields.Names.Except(Tables.SelectMany(table => table.Unsupported)))
        {
            var reply = await server.CompleteAsync($"{{\"prompt\":\"a\",\"{name}\":1}}");
            Assert.Equal((200, name), (reply.Status, reply.Headers["x-ignored-fields"]));
        }
    }

    [Fact]
    public void No_field_of_another_server_is_one_of_ours_or_about_the_strength()
    {
        Assert.Empty(OtherServerFields.Names.Intersect(Tables.SelectMany(table => table.Read)));
        Assert.DoesNotContain(OtherServerFields.Names, name =>
            ((string[])["strength", "align", "lambda", "λ"]).Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("\"strengths\":0.5", "strengths")]
    [InlineData("\"lambdas\":0.5", "lambdas")]
    [InlineData("\"alignment_strenght\":0.5", "alignment_strenght")]
    [InlineData("\"dera.lambda\":0.5", "dera.lambda")]
    [InlineData("\"aligned_strength\":{}", "aligned_strength")]
    [InlineData("\"extra_body\":{\"alignment_strength\":0.5}", "extra_body.alignment_strength")]
    [InlineData("\"options\":{\"num_ctx\":1,\"lambda\":0.5}", "options.lambda")]
    [InlineData("\"parameters\":{\"alignment_strengths\":{\"aligned\":0.5}}", "parameters.alignment_strengths")]
    [InlineData("\"shiny_thing\":{\"alignment_strength\":0.5}", "shiny_thing.alignment_strength")]
    public async Task A_strength_that_would_not_be_read_is_refused(string field, string param)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"));
        await RefusalTests.RefusedAsync(server, "/v1/completions", $"{{\"prompt\":\"a\",{field}}}", param, "");
        await RefusalTests.RefusedAsync(server, "/v1/chat/completions", $"{{{User},{field}}}", param, "");
    }

    [Fact]
    public async Task An_empty_map_of_strengths_is_unset_over_both_protocols()
    {
        await using var server = await ServerFixture.StartAsync(aligned: ["helpful", "concise"]);
        const string same = "\"prompt\":\"a\",\"seed\":3,\"max_tokens\":12,\"ignore_eos\":true,\"return_token_ids\":true";
        var grpc = await server.Inference.GenerateAsync(new()
        {
            Prompt = new() { Text = "a" },
            Options = new() { Seed = 3, MaxTokens = 12, IgnoreEos = true, AlignmentStrengths = { } },
        }, cancellationToken: ServerFixture.Stop);
        foreach (var fields in (string[])["", ",\"alignment_strengths\":{}", ",\"alignment_strengths\":{\"helpful\":null}",
            ",\"alignment_strengths\":{},\"alignment_strength\":1"])
        {
            var http = await server.CompleteAsync($"{{{same}{fields}}}");
            Assert.Equal(1, http.Json.GetProperty("alignment_strengths").GetProperty("helpful").GetDouble());
            Assert.Equal($"[{string.Join(',', grpc.Choices[0].Tokens.Select(token => token.Id))}]", http.Choice().GetProperty("token_ids")
                .GetRawText());
        }
        Assert.Equal(1, grpc.AlignmentStrengths["helpful"]);
        var named = await server.CompleteAsync("{\"prompt\":\"a\",\"model\":\"pair@0.5\",\"alignment_strengths\":{}}");
        Assert.Equal(0.5, named.Json.GetProperty("alignment_strength").GetDouble());
    }
}
