using DeRa.Testing.Server;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using Xunit;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace DeRa.Clients.Tests;

/// <summary>Microsoft.Extensions.AI over OpenAI's client: what programs with <c>IChatClient</c> see.</summary>
public class ExtensionsAITests
{
    private static CancellationToken Stop => ServerFixture.Stop;

    private static IChatClient Chat(ServerFixture server, string model = ServerFixture.Model) =>
        OpenAIDotNet.Client(server).GetChatClient(model).AsIChatClient();

    private static ChatOptions AtStrength(double strength) => new()
    {
        Seed = 3,
        MaxOutputTokens = 24,
        RawRepresentationFactory = _ =>
        {
            var options = new ChatCompletionOptions();
            options.Patch.Set("$.alignment_strength"u8, strength);
            return options;
        },
    };

    [Fact]
    public async Task A_chat_is_answered_whole_and_its_answer_can_be_sent_back()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("Good day"));
        using var chat = Chat(server);
        List<ChatMessage> turns = [new(ChatRole.User, "Hello")];
        var first = await chat.GetResponseAsync(turns, cancellationToken: Stop);
        Assert.Equal(("Good day", Microsoft.Extensions.AI.ChatFinishReason.Stop, "pair"), (first.Text, first.FinishReason, first.ModelId));
        Assert.Equal((9, first.Usage!.InputTokenCount + 9), (first.Usage.OutputTokenCount, first.Usage.TotalTokenCount));
        turns.AddMessages(first);
        turns.Add(new ChatMessage(ChatRole.User, [new TextContent("And "), new TextContent("again")]));
        Assert.Equal("Good day", (await chat.GetResponseAsync(turns, cancellationToken: Stop)).Text);
    }

    [Fact]
    public async Task A_chat_streams_with_usage_and_makes_the_same_response()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("Good day, 世界"));
        using var chat = Chat(server);
        var updates = await chat.GetStreamingResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 40 }, Stop).ToListAsync(Stop);
        Assert.True(updates.Count(update => update.Text.Length > 0) > 1);
        var response = updates.ToChatResponse();
        Assert.Equal(("Good day, 世界", Microsoft.Extensions.AI.ChatFinishReason.Stop), (response.Text, response.FinishReason));
        Assert.Equal((17, 0), (response.Usage!.OutputTokenCount, response.Usage.CachedInputTokenCount));
    }

    [Fact]
    public async Task The_strength_goes_in_through_the_raw_representation_or_the_models_name()
    {
        await using var server = await ServerFixture.StartAsync();
        var texts = new List<string>();
        foreach (var strength in (double[])[0, 0.5, 1.5])
        {
            using var chat = Chat(server);
            using var named = Chat(server, FormattableString.Invariant($"pair@{strength}"));
            texts.Add((await chat.GetResponseAsync("Hello", AtStrength(strength), Stop)).Text);
            var raw = await server.ChatAsync(FormattableString.Invariant(
                $$"""{"messages":[{"role":"user","content":"Hello"}],"seed":3,"max_tokens":24,"lambda":{{strength}}}"""));
            Assert.Equal(raw.Text(), texts[^1]);
            Assert.Equal(raw.Text(),
                (await named.GetResponseAsync("Hello", new ChatOptions { Seed = 3, MaxOutputTokens = 24 }, Stop)).Text);
        }
        Assert.Equal(3, texts.Distinct().Count());
    }

    [Fact]
    public async Task Sampling_options_and_stops_reach_the_server()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("one STOP two"));
        using var chat = Chat(server);
        var options = new ChatOptions
        {
            StopSequences = ["STOP"],
            Temperature = 0.5f,
            TopP = 0.9f,
            FrequencyPenalty = 0.5f,
            PresencePenalty = 0.5f,
            Seed = 1,
        };
        Assert.Equal("one ", (await chat.GetResponseAsync("Hello", options, Stop)).Text);
        var cut = await chat.GetResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 3 }, Stop);
        Assert.Equal(("one", Microsoft.Extensions.AI.ChatFinishReason.Length), (cut.Text, cut.FinishReason));
    }

    [Fact]
    public async Task Errors_arrive_with_their_status_and_the_field()
    {
        await using var server = await ServerFixture.StartAsync();
        using var chat = Chat(server);
        var hot = await Assert.ThrowsAsync<System.ClientModel.ClientResultException>(
            () => chat.GetResponseAsync("Hello", new ChatOptions { Temperature = 3 }, Stop));
        Assert.Equal(400, hot.Status);
        Assert.Contains("temperature", hot.Message, StringComparison.Ordinal);
        using var other = Chat(server, "gpt-5");
        Assert.Equal(404, (await Assert.ThrowsAsync<System.ClientModel.ClientResultException>(
            () => other.GetResponseAsync("Hello", cancellationToken: Stop))).Status);
    }

    [Fact]
    public async Task Leaving_a_stream_frees_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var chat = Chat(server);
        await foreach (var update in chat.GetStreamingResponseAsync("Hello", cancellationToken: Stop))
            if (update.Text.Length > 0) break;
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.BlocksInUse == 0);
    }
}
