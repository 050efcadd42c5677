using System.ClientModel;
using DeRa.Server.Options;
using DeRa.Testing;
using DeRa.Testing.Server;
using OpenAI.Chat;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>Keys and limits as OpenAI's clients meet them.</summary>
public class SecurityTests
{
    private static readonly ChatMessage[] Hello = [new UserChatMessage("Hello")];

    private static CancellationToken Stop => ServerFixture.Stop;

    private static ServerOptions OneAtOnce => new() { Key = new() { MaxConcurrentRequests = 1 } };

    [Fact]
    public async Task A_wrong_key_is_not_sent_again_to_the_server_and_the_right_one_opens_it()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder));
        var policy = new WatchedRetryPolicy(() => Task.CompletedTask);
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => OpenAIDotNet.Client(server, policy).GetChatClient("pair")
            .CompleteChatAsync(Hello, cancellationToken: Stop));
        Assert.Equal(401, refused.Status);
        Assert.Contains("invalid_api_key", refused.Message, StringComparison.Ordinal);
        Assert.Empty(policy.Delays);
        ChatCompletion answer = await OpenAIDotNet.Client(server, key: SecuredServer.Key).GetChatClient("pair")
            .CompleteChatAsync(Hello, cancellationToken: Stop);
        Assert.Equal("fine", answer.Content[0].Text);
    }

    [Fact]
    public async Task One_request_too_many_at_once_is_sent_again_after_the_time_that_the_server_names()
    {
        await using var server = await SecuredServer.StartAsync(OneAtOnce, Scripts.Endless());
        var running = OpenAIDotNet.Client(server).GetChatClient("pair").CompleteChatStreamingAsync(Hello, cancellationToken: Stop)
            .GetAsyncEnumerator(Stop);
        Assert.True(await running.MoveNextAsync());
        // The client that leaves reads on for a while, up to a megabyte, before it closes its connection.
        var policy = new WatchedRetryPolicy(() => running.DisposeAsync().AsTask(), maxRetries: 1_000_000);
        ChatCompletion answer = await OpenAIDotNet.Client(server, policy).GetChatClient("pair")
            .CompleteChatAsync(Hello, new ChatCompletionOptions { MaxOutputTokenCount = 3 }, Stop);
        Assert.Equal(3, answer.Usage.OutputTokenCount);
        Assert.Equal(TimeSpan.FromSeconds(1), policy.Delays[0]);
    }

    [Fact]
    public async Task JavaScript_raises_its_own_error_for_a_wrong_key()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SecuredServer.StartAsync(SecuredServer.WithKeys(folder));
        await NodeScript.RunOpenAIAsync(server, ServerFixture.Model, "keys", more: SecuredServer.Key);
    }

    [Fact]
    public async Task JavaScript_sends_one_request_too_many_again_after_the_time_that_the_server_names()
    {
        await using var server = await SecuredServer.StartAsync(OneAtOnce, Scripts.Endless());
        await NodeScript.RunOpenAIAsync(server, ServerFixture.Model, "limited");
    }
}
