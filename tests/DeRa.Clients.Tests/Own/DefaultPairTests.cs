using DeRa.Client.Alignment;
using DeRa.Testing.Server;
using Microsoft.Extensions.AI;
using Xunit;

namespace DeRa.Clients.Tests.Own;

/// <summary>DeRa's own client against the real models that come with the server.</summary>
public class DefaultPairTests
{
    [Fact]
    public async Task Both_transports_write_the_same_story_at_each_strength_and_after_a_change()
    {
        await using var server = await Clients.Tests.DefaultPairTests.StartAsync();
        using var http = new ClientUnderTest(ClientUnderTest.Http, server);
        using var grpc = new ClientUnderTest(ClientUnderTest.Grpc, server);
        var stories = new List<string>();
        foreach (var strength in (double[])[0, 1, 2])
        {
            var options = new ChatOptions { AlignmentStrength = strength, Seed = 1, MaxOutputTokens = 40, Measures = new() };
            var raw = await server.ChatAsync(FormattableString.Invariant($$"""
                {"messages":[{"role":"user","content":"Write a story about a dog"}],"lambda":{{strength}},"seed":1,"max_tokens":40}
                """));
            foreach (var client in (ClientUnderTest[])[http, grpc])
            {
                var updates = await client.Chat.GetStreamingResponseAsync("Write a story about a dog", options, ServerFixture.Stop)
                    .ToListAsync(ServerFixture.Stop);
                Assert.Equal(raw.Text(), updates.ToChatResponse().Text);
                Assert.Equal(40, updates.Sum(update => update.Measures?.Tokens.Count ?? 0));
            }
            stories.Add(raw.Text());
        }
        Assert.Equal(3, stories.Distinct().Count());
        foreach (var client in (ClientUnderTest[])[http, grpc]) await ChangeAsync(client);
    }

    /// <summary>What follows a change is what a schedule that jumps at the same token gives.</summary>
    private static async Task ChangeAsync(ClientUnderTest client)
    {
        var options = new ChatOptions { AlignmentStrength = 0, Seed = 1, MaxOutputTokens = 400, Measures = new() };
        (options.AdditionalProperties ??= [])["ignore_eos"] = true;
        var (tokens, jump, text) = (0, 0, "");
        await foreach (var update in client.Chat.GetStreamingResponseAsync("Write a story", options, ServerFixture.Stop))
        {
            if (update.Text.Length > 0 && text.Length == 0) await client.ChangeAsync(update.GenerationId!, 2);
            if (jump == 0 && update.AlignmentStrength == 2) jump = tokens;
            (tokens, text) = (tokens + (update.Measures?.Tokens.Count ?? 0), text + update.Text);
        }
        Assert.InRange(jump, 1, 399);
        options.AlignmentStrength = null;
        options.AlignmentSchedule = AlignmentSchedule.Of((0, 0), (jump, 2));
        Assert.Equal((await client.Chat.GetResponseAsync("Write a story", options, ServerFixture.Stop)).Text, text);
    }
}
