using DeRa.Protos.V1;
using DeRa.Testing;
using DeRa.Text.Chat;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Xunit;
using ChatMessage = DeRa.Protos.V1.ChatMessage;

namespace DeRa.Server.Tests.Grpc;

/// <summary>The options thover both transports have do the same over either.</summary>
public class GrpcFieldTests
{
    private static readonly Dictionary<string, (string Json, GenerationOptions Options)> Same = new()
    {
        ["masks"] = ("\"allowed_token_ids\":[97,98,99,257],\"bad_words\":[\"ab\"],\"min_tokens\":9", new()
        {
            AllowedTokenIds = { 97, 98, 99, 257 },
            BadWords = { "ab" },
            MinTokens = 9,
        }),
        ["typical"] = ("\"typical_p\":0.3", new() { TypicalP = 0.3 }),
        ["stop"] = ("\"stop_token_ids\":[98,101],\"include_stop_str_in_output\":true,\"logit_bias\":{\"98\":3}", new()
        {
            StopTokenIds = { 98, 101 },
            IncludeStop = true,
            LogitBias = { [98] = 3 },
        }),
        ["best"] =
            ("\"best_of\":4,\"n\":2,\"priority\":3,\"cache_salt\":\"x\"", new() { BestOf = 4, N = 2, Priority = 3, CacheSalt = "x" }),
        ["prompt"] = ("\"truncate_prompt_tokens\":2,\"add_special_tokens\":false,\"skip_special_tokens\":false", new()
        {
            TruncatePromptTokens = 2,
            AddSpecialTokens = false,
            SkipSpecialTokens = false,
        }),
    };

    public static TheoryData<string> Names => [.. Same.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Both_doors_give_the_same_tokens(string name)
    {
        var (json, options) = Same[name];
        await using var server = await ServerFixture.StartAsync();
        options.Seed = 3;
        options.MaxTokens = 16;
        var grpc = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "tell" }, Options = options }, cancellationToken: ServerFixture.Stop);
        var http = await server.CompleteAsync("{\"prompt\":\"tell\",\"seed\":3,\"max_tokens\":16,\"return_token_ids\":true," + json + "}");
        for (var i = 0; i < grpc.Choices.Count; i++)
            Assert.Equal($"[{string.Join(',', grpc.Choices[i].Tokens.Select(token => token.Id))}]", http.Choice(i).GetProperty("token_ids")
                .GetRawText());
        Assert.Equal(http.Json.GetProperty("choices").GetArrayLength(), grpc.Choices.Count);
        Assert.Equal(http.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), grpc.Usage.CompletionTokens);
        Assert.All(grpc.Choices, choice => Assert.All(choice.Tokens, token => Assert.False(token.HasLogprob)));
    }

    [Fact]
    public async Task An_answer_tells_which_stop_token_ended_it()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var options = new GenerationOptions { StopTokenIds = { 5, 'o' } };
        var prompt = new Prompt { Text = "a" };
        var talk = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = "a" } } };
        var whole =
            await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        var chat =
            await server.Inference.ChatAsync(new() { Conversation = talk, Options = options }, cancellationToken: ServerFixture.Stop);
        using var call =
            server.Inference.GenerateStream(new() { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        var last = (await call.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop))[^1].Finished;
        Assert.Equal(('o', 'o', 'o'), (whole.Choices[0].StopToken, chat.Choices[0].StopToken, last.StopToken));
        options.StopTokenIds.Clear();
        whole = await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        Assert.False(whole.Choices[0].HasStopToken);
    }

    [Fact]
    public async Task A_special_token_that_a_stop_string_spells_ends_an_answer_and_a_chat()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var options = new GenerationOptions { Stop = { "lo</s>" }, IgnoreEos = true, MaxTokens = 12 };
        var prompt = new Prompt { Text = "a" };
        var talk = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = "a" } } };
        var whole =
            await server.Inference.GenerateAsync(new() { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        var chat =
            await server.Inference.ChatAsync(new() { Conversation = talk, Options = options }, cancellationToken: ServerFixture.Stop);
        using var call =
            server.Inference.GenerateStream(new() { Prompt = prompt, Options = options }, cancellationToken: ServerFixture.Stop);
        var events = await call.ResponseStream.ReadAllAsync(ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
        Assert.Equal(("hel", "lo</s>"), (whole.Choices[0].Text, whole.Choices[0].Stop));
        Assert.Equal(("hel", "lo</s>"), (chat.Choices[0].Message.Content, chat.Choices[0].Stop));
        Assert.Equal(("hel", "lo</s>"), (string.Concat(events.Select(happened => happened.Delta?.Text)), events[^1].Finished.Stop));
    }

    [Fact]
    public async Task A_prompt_s_log_probabilities_come_with_each_choice()
    {
        await using var server = await ServerFixture.StartAsync();
        var options = new GenerationOptions { PromptLogprobs = 2, MaxTokens = 1 };
        var reply = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Text = "ab" }, Options = options }, cancellationToken: ServerFixture.Stop);
        var tokens = reply.Choices[0].PromptTokens;
        Assert.Equal([ByteTokenizer.Bos, 'a', 'b'], tokens.Select(token => token.Id));
        Assert.Equal([false, true, true], tokens.Select(token => token.HasLogprob));
        Assert.Equal([0, 2, 2], tokens.Select(token => token.Alternatives.Count));
        Assert.Equal([false, true, true], tokens.Select(token => token.HasRank));
        var http = await server.CompleteAsync("""{"prompt":"ab","prompt_logprobs":2,"max_tokens":1}""");
        var scores = http.Choice().GetProperty("prompt_logprobs");
        for (var i = 1; i < tokens.Count; i++)
            Assert.Equal(scores[i].GetProperty($"{tokens[i].Id}").GetProperty("rank").GetInt32(), tokens[i].Rank);
        var chat = await server.Inference.ChatAsync(new ChatRequest
        {
            Conversation = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = "a" } } },
            Options = new GenerationOptions { PromptLogprobs = 2, Logprobs = 1, MaxTokens = 2 },
        }, cancellationToken: ServerFixture.Stop);
        Assert.Equal(chat.Usage.PromptTokens, chat.Choices[0].PromptTokens.Count);
        Assert.All(chat.Choices[0].Tokens, token => Assert.True(token is { HasLogprob: true, HasRank: false, Alternatives.Count: 1 }));
    }

    [Fact]
    public async Task Several_prompts_give_choices_one_after_the_other_as_over_HTTP()
    {
        await using var server = await ServerFixture.StartAsync();
        var request = new GenerateRequest
        {
            Prompt = new Prompt { Text = "tell" },
            MorePrompts = { new Prompt { TokenIds = new TokenIds { Ids = { 97, 98 } } }, new Prompt { Text = "b" } },
            Options = new GenerationOptions { N = 2, Seed = 3, MaxTokens = 8, IgnoreEos = true, PromptLogprobs = 0 },
        };
        var grpc = await server.Inference.GenerateAsync(request, cancellationToken: ServerFixture.Stop);
        var http = new List<string>();
        foreach (var prompt in (string[])["\"tell\"", "[97,98]", "\"b\""])
        {
            var reply = await server.CompleteAsync(
                $$"""{"prompt":{{prompt}},"n":2,"seed":3,"max_tokens":8,"ignore_eos":true,"return_token_ids":true}""");
            http.AddRange(Enumerable.Range(0, 2).Select(i => reply.Choice(i).GetProperty("token_ids").GetRawText()));
        }
        Assert.Equal(http, grpc.Choices.Select(choice => $"[{string.Join(',', choice.Tokens.Select(token => token.Id))}]"));
        Assert.Equal([5, 5, 2, 2, 2, 2], grpc.Choices.Select(choice => choice.PromptTokens.Count));
        Assert.Equal((9, 48), (grpc.Usage.PromptTokens, grpc.Usage.CompletionTokens));
    }

    [Fact]
    public async Task A_conversation_is_laid_out_as_over_HTTP()
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
            + "{% if add_generation_prompt %}<answer>{% endif %}{{ level + 1 }}{{ deep.list[1] }}");
        await using var server = await ServerFixture.StartAsync(chats: ChatTemplate.Load(folder.Path, TimeProvider.System));
        var talk = new Conversation
        {
            Messages =
            {
                new ChatMessage { RoleName = "developer", Content = "s" }, new ChatMessage { RoleName = "tool", Content = "t" },
                new ChatMessage { Role = Role.Assistant, Content = "And so" },
            },
            ChatTemplateKwargs = new()
            {
                Fields =
                {
                    ["level"] = Value.ForNumber(2),
                    ["deep"] = Value.ForStruct(new() { Fields = { ["list"] = Value.ForList(Value.ForNull(), Value.ForString("x")) } }),
                },
            },
        };
        const string http = """
            "messages":[{"role":"developer","content":"s"},{"role":"tool","content":"t"},{"role":"assistant","content":"And so"}],
            "chat_template_kwargs":{"level":2,"deep":{"list":[null,"x"]}}
            """;
        Assert.Contains("<answer>3x", await SameTokensAsync(server, talk, http), StringComparison.Ordinal);
        talk.AddGenerationPrompt = false;
        Assert.EndsWith("And so3x", await SameTokensAsync(server, talk, http + ",\"add_generation_prompt\":false"),
            StringComparison.Ordinal);
        (talk.ContinueFinalMessage, talk.Messages[0].RoleName) = (true, "system");
        Assert.EndsWith("And so", await SameTokensAsync(server, talk,
            http + ",\"add_generation_prompt\":false,\"continue_final_message\":true"), StringComparison.Ordinal);
    }

    private static async Task<string> SameTokensAsync(ServerFixture server, Conversation talk, string http)
    {
        var told = await server.Inference.TokenizeAsync(
            new TokenizeRequest { Prompt = new Prompt { Messages = talk } }, cancellationToken: ServerFixture.Stop);
        var same = await server.PostAsync("/tokenize", $"{{{http}}}");
        Assert.Equal(same.Json.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()), told.TokenIds);
        var (chat, reply) = (await server.Inference.ChatAsync(new ChatRequest { Conversation = talk },
            cancellationToken: ServerFixture.Stop),
            await server.ChatAsync($"{{{http}}}"));
        Assert.Equal(reply.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), chat.Usage.PromptTokens);
        Assert.Equal(told.TokenIds.Count, chat.Usage.PromptTokens);
        return System.Text.Encoding.UTF8.GetString([.. told.TokenIds.Select(token => (byte)token)]);
    }

    [Fact]
    public async Task Neither_candidates_nor_a_prompt_s_log_probabilities_are_streamed()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var options in (GenerationOptions[])[new() { BestOf = 2 }, new() { PromptLogprobs = 0 }])
        {
            using var call = server.Inference.GenerateStream(
                new GenerateStreamRequest { Prompt = new Prompt { Text = "a" }, Options = options }, cancellationToken: ServerFixture.Stop);
            var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(ServerFixture.Stop));
            Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        }
    }
}
