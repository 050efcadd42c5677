using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using DeRa.Serving;
using DeRa.Testing.Server;
using OpenAI.Chat;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>OpenAI's own .NET client against the server.</summary>
public class OpenAIDotNetTests
{
    private static readonly ChatMessage[] Hello = [new SystemChatMessage("Be brief."), new UserChatMessage("Hello")];

    private static CancellationToken Stop => ServerFixture.Stop;

    private static ChatClient Chat(ServerFixture server, string model = ServerFixture.Model) =>
        OpenAIDotNet.Client(server).GetChatClient(model);

    /// <summary>A field that OpenAI does not know, as the client lets its callers add one.</summary>
    private static ChatCompletionOptions AtStrength(double strength)
    {
        var options = new ChatCompletionOptions { Seed = 3, MaxOutputTokenCount = 24 };
        options.Patch.Set("$.alignment_strength"u8, strength);
        return options;
    }

    private static string Text(ChatCompletion completion) => Assert.Single(completion.Content).Text;

    /// <summary>The same question as <see cref="AtStrength"/>'s, asked without any client.</summary>
    private static async Task<string> RawTextAsync(ServerFixture server, string strength) => (await server.ChatAsync($$"""
        {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}],"seed":3,"max_tokens":24,
         "alignment_strength":{{strength}}}
        """)).Text();

    [Fact]
    public async Task A_chat_is_answered_whole_with_usage_and_finish_reason()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("Good day, 世界"));
        ChatCompletion whole = await Chat(server).CompleteChatAsync(Hello, new ChatCompletionOptions { MaxOutputTokenCount = 50 }, Stop);
        Assert.Equal("Good day, 世界", Text(whole));
        Assert.Equal((ChatFinishReason.Stop, ChatMessageRole.Assistant, "pair"), (whole.FinishReason, whole.Role, whole.Model));
        Assert.Equal((17, whole.Usage.InputTokenCount + 17), (whole.Usage.OutputTokenCount, whole.Usage.TotalTokenCount));
        Assert.Equal(0, whole.Usage.InputTokenDetails.CachedTokenCount);
        Assert.Null(whole.Refusal);
    }

    [Fact]
    public async Task A_chat_streams_in_pieces_with_the_usage_at_the_end()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("Good day, 世界"));
        var updates = await Chat(server).CompleteChatStreamingAsync(Hello, new ChatCompletionOptions { MaxOutputTokenCount = 50 }, Stop)
            .ToListAsync(Stop);
        Assert.Equal("Good day, 世界", string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text)));
        Assert.Equal(ChatMessageRole.Assistant, updates[0].Role);
        Assert.Equal(ChatFinishReason.Stop, Assert.Single(updates, update => update.FinishReason is not null).FinishReason);
        Assert.Equal((17, 0), (updates[^1].Usage.OutputTokenCount, updates[^1].Usage.InputTokenDetails.CachedTokenCount));
        Assert.Single(updates.Select(update => update.CompletionId).Distinct());
    }

    [Fact]
    public async Task Log_probabilities_come_with_bytes_and_alternatives()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("né"));
        var options = new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 3 };
        ChatCompletion whole = await Chat(server).CompleteChatAsync(Hello, options, Stop);
        var tokens = whole.ContentTokenLogProbabilities.Take(3).ToList();
        Assert.Equal("né"u8.ToArray(), tokens.SelectMany(token => token.Utf8Bytes!.Value.ToArray()));
        Assert.All(tokens, token => Assert.True(token.LogProbability < 0 && token.TopLogProbabilities.Count == 3));
        var streamed = await Chat(server).CompleteChatStreamingAsync(Hello, options, Stop).ToListAsync(Stop);
        Assert.Equal(
            whole.ContentTokenLogProbabilities.Select(token => token.LogProbability),
            streamed.SelectMany(update => update.ContentTokenLogProbabilities).Select(token => token.LogProbability));
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_before_it_streamed_or_not()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("one STOP two"));
        var options = new ChatCompletionOptions { StopSequences = { "STOP" } };
        Assert.Equal("one ", Text(await Chat(server).CompleteChatAsync(Hello, options, Stop)));
        var updates = await Chat(server).CompleteChatStreamingAsync(Hello, options, Stop).ToListAsync(Stop);
        Assert.Equal("one ", string.Concat(updates.SelectMany(update => update.ContentUpdate).Select(part => part.Text)));
    }

    [Fact]
    public async Task The_strength_goes_in_as_an_added_field_or_in_the_models_name()
    {
        await using var server = await ServerFixture.StartAsync();
        var texts = new List<string>();
        foreach (var strength in (string[])["0", "0.5", "1.5"])
        {
            texts.Add(await RawTextAsync(server, strength));
            var value = double.Parse(strength, null);
            Assert.Equal(texts[^1], Text(await Chat(server).CompleteChatAsync(Hello, AtStrength(value), Stop)));
            var named = new ChatCompletionOptions { Seed = 3, MaxOutputTokenCount = 24 };
            ChatCompletion answer = await Chat(server, $"pair@{strength}").CompleteChatAsync(Hello, named, Stop);
            Assert.Equal((texts[^1], $"pair@{strength}"), (Text(answer), answer.Model));
        }
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Fact]
    public async Task The_protocol_method_takes_any_body_and_shows_the_strength_in_force_and_n_choices()
    {
        await using var server = await ServerFixture.StartAsync();
        using var body = BinaryContent.Create(BinaryData.FromString(
            """{"model":"pair","messages":[{"role":"user","content":"a"}],"n":3,"seed":1,"max_tokens":8,"lambda":0.25,"top_k":40}"""));
        var result = await Chat(server).CompleteChatAsync(body, new RequestOptions { CancellationToken = Stop });
        using var answer = JsonDocument.Parse(result.GetRawResponse().Content);
        Assert.Equal(0.25, answer.RootElement.GetProperty("alignment_strength").GetDouble());
        var texts = answer.RootElement.GetProperty("choices").EnumerateArray()
            .Select(choice => choice.GetProperty("message").GetProperty("content").GetString()).ToList();
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Fact]
    public async Task Completions_which_the_client_has_no_type_for_go_through_its_pipeline()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("upon"));
        var pipeline = OpenAIDotNet.Client(server).Pipeline;
        using var message = pipeline.CreateMessage();
        (message.Request.Method, message.Request.Uri) = ("POST", new Uri(server.Http.BaseAddress!, "v1/completions"));
        message.Request.Headers.Set("Content-Type", "application/json");
        message.Request.Content = BinaryContent.Create(BinaryData.FromString("""{"model":"pair@0.5","prompt":"Once","echo":true}"""));
        await pipeline.SendAsync(message);
        using var answer = JsonDocument.Parse(message.Response!.Content);
        Assert.Equal("Onceupon", answer.RootElement.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task Models_are_listed_and_shown()
    {
        await using var server = await ServerFixture.StartAsync();
        var models = OpenAIDotNet.Client(server).GetOpenAIModelClient();
        var list = (await models.GetModelsAsync(Stop)).Value;
        Assert.Equal(["pair", "pair-reference", "pair-aligned"], list.Select(model => model.Id));
        Assert.Equal("dera", (await models.GetModelAsync("pair-aligned", Stop)).Value.OwnedBy);
    }

    [Fact]
    public async Task A_bad_value_and_an_unknown_model_are_not_sent_again_and_say_why()
    {
        await using var server = await ServerFixture.StartAsync();
        var policy = new WatchedRetryPolicy(() => Task.CompletedTask);
        var client = OpenAIDotNet.Client(server, policy);
        var bad = await Assert.ThrowsAsync<ClientResultException>(
            () => client.GetChatClient("pair").CompleteChatAsync(Hello, AtStrength(99), Stop));
        Assert.Equal(400, bad.Status);
        Assert.Contains("between -1 and 10", bad.Message, StringComparison.Ordinal);
        Assert.Contains("alignment_strength", bad.Message, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<ClientResultException>(
            () => client.GetChatClient("gpt-5").CompleteChatAsync(Hello, cancellationToken: Stop));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message, StringComparison.Ordinal);
        Assert.Empty(policy.Delays);
    }

    [Fact]
    public async Task A_server_that_loads_is_asked_again_after_the_time_that_it_names()
    {
        var loaded = new TaskCompletionSource<ServedPair>();
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => loaded.Task);
        var policy = new WatchedRetryPolicy(async () =>
        {
            loaded.TrySetResult(ServerFixture.Pair(Scripts.Saying("here")));
            await server.PhaseChangedAsync();
        });
        ChatCompletion answer = await OpenAIDotNet.Client(server, policy).GetChatClient("pair")
            .CompleteChatAsync(Hello, cancellationToken: Stop);
        Assert.Equal("here", Text(answer));
        Assert.Equal(TimeSpan.FromSeconds(5), Assert.Single(policy.Delays));
    }

    [Fact]
    public async Task A_row_that_fails_is_tried_again_and_then_answered()
    {
        var executor = Scripts.Saying("fine");
        executor.ReadoutError = _ => "logits are not finite";
        await using var server = await ServerFixture.StartAsync(executor);
        var policy = new WatchedRetryPolicy(() =>
        {
            executor.ReadoutError = null;
            return Task.CompletedTask;
        });
        ChatCompletion answer = await OpenAIDotNet.Client(server, policy).GetChatClient("pair")
            .CompleteChatAsync(Hello, cancellationToken: Stop);
        Assert.Equal("fine", Text(answer));
        Assert.Single(policy.Delays);
    }

    [Fact]
    public async Task A_stream_that_breaks_after_its_first_piece_never_looks_like_a_whole_answer()
    {
        var executor = Scripts.Saying("abcdefgh");
        executor.ReadoutError = readout =>
            readout.Sampling!.Value.History.Length - readout.Sampling.Value.PromptTokens > 3 ? "logits are not finite" : null;
        await using var server = await ServerFixture.StartAsync(executor);
        var seen = new List<StreamingChatCompletionUpdate>();
        await Record.ExceptionAsync(async () =>
        {
            await foreach (var update in Chat(server).CompleteChatStreamingAsync(Hello, cancellationToken: Stop)) seen.Add(update);
        });
        Assert.DoesNotContain(seen, update => update.FinishReason is not null);
        // This client takes the error event for a piece without text; others throw.
        Assert.Equal("abcd", string.Concat(seen.SelectMany(update => update.ContentUpdate).Select(part => part.Text)));
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }

    [Fact]
    public async Task Leaving_a_stream_or_cancelling_a_call_frees_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        await foreach (var update in Chat(server).CompleteChatStreamingAsync(Hello, cancellationToken: Stop))
            if (update.ContentUpdate.Count > 0) break;
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);

        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var call = Chat(server).CompleteChatAsync(Hello, cancellationToken: leave.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }
}
