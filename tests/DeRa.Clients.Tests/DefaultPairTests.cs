using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Testing.Server;
using Microsoft.Extensions.Logging.Abstractions;
using OpenAI.Chat;
using Xunit;

namespace DeRa.Clients.Tests;

/// <summary>Each client against the real models that come with the server.</summary>
public class DefaultPairTests
{
    private const string Model = "stories";

    internal static async Task<ServerFixture> StartAsync()
    {
        var options = new ServerOptions { Compute = new() { Device = "cpu" }, Time = new() { DrainSeconds = 0 } };
        var server = await ServerFixture.StartLoadingAsync(PairStartup.For(options, NullLoggerFactory.Instance), options: options);
        await server.PhaseChangedAsync();
        Assert.Null(server.State.Failure);
        return server;
    }

    [Fact]
    public async Task Each_client_gets_another_story_at_another_strength()
    {
        await using var server = await StartAsync();
        var stories = new List<string>();
        foreach (var strength in (string[])["0", "0.5", "1", "2"])
        {
            var chat = OpenAIDotNet.Client(server).GetChatClient($"{Model}@{strength}");
            var options = new ChatCompletionOptions { Seed = 1, MaxOutputTokenCount = 60 };
            ChatMessage[] messages = [new UserChatMessage("Write a story about a dog and a ball")];
            ChatCompletion whole = await chat.CompleteChatAsync(messages, options, ServerFixture.Stop);
            var pieces = await chat.CompleteChatStreamingAsync(messages, options, ServerFixture.Stop).ToListAsync(ServerFixture.Stop);
            stories.Add(whole.Content[0].Text);
            Assert.Equal(stories[^1], string.Concat(pieces.SelectMany(piece => piece.ContentUpdate).Select(part => part.Text)));
            Assert.InRange(whole.Usage.OutputTokenCount, 10, 60);
        }
        Assert.Equal(4, stories.Distinct().Count());
        await NodeScript.RunOpenAIAsync(server, Model, "strength");
        await NodeScript.RunGrpcAsync(server, Model, "strength");
    }
}
